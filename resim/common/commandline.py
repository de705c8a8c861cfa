"""What both command lines share: one line for bad input, exit status 1, a traceback only with `--debug`."""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from click.shell_completion import shell_complete

from resim.common.atomic_write import entries
from resim.common.errors import InputError
from resim.common.output_lock import locked

EXTRAS = {
    "generate": (
        "awkward",
        "fastjet",
        "matplotlib",
        "mplhep",
        "numba",
        "pyhepmc",
        "pylhe",
        "pythia8mc",
        "scipy",
        "uproot",
    ),
    "cluster": ("dask", "dask_jobqueue", "distributed"),
    "equivariant": ("lgatr",),
    "export": ("onnx", "onnxruntime", "onnxscript", "safetensors"),
    "formats": ("awkward", "hdf5plugin", "pyarrow", "uproot"),
    "lora": ("peft",),
    "omnilearned": ("omnilearned",),
    "train": (
        "jinja2",
        "lightning",
        "matplotlib",
        "mplhep",
        "scipy",
        "sklearn",
        "tensorboard",
        "threadpoolctl",
        "torch",
    ),
}
"""Packages of each optional extra, by the name under which they are imported."""

LONGEST_MESSAGE = 300
"""Characters of a message, at most."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it (128 + SIGINT)."""


PREEMPTED: Final = 75
"""Exit status of a training that SIGUSR1 has ended and that can go on: EX_TEMPFAIL of sysexits.h, try again."""


END_OF_JOB: Final = (signal.SIGTERM, signal.SIGUSR1)
"""Signals by which batch systems end a job; Slurm's --signal=USR1@SECONDS sends SIGUSR1 ahead of its time limit."""


class LockingCommand(click.Command):
    """A command that is the only one to write its `--output` while it runs."""

    of_a_team = False
    """whether processes that torchrun or Slurm started together work on one output: the first locks it for all"""

    def invoke(self, context: click.Context) -> Any:
        """Run it.

        Raises:
            InputError: another process writes the output.
        """
        output = context.params.get("output")
        rank = os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))
        leads = not self.of_a_team or rank == "0"
        with locked(output) if output is not None and leads else nullcontext():
            return super().invoke(context)


class TeamCommand(LockingCommand):
    """The same for processes that work together."""

    of_a_team = True


class Program(click.Group):
    """Commands of a program; every one of them locks its output."""

    command_class = LockingCommand
    group_class = type


def run(group: click.Group) -> NoReturn:
    """Run a command group as a program and leave with its exit status."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    for package in ("resim", "jetssl"):  # not what libraries have to say of themselves
        logging.getLogger(package).setLevel(logging.INFO)
    os.environ["PYTHONSAFEPATH"] = "1"  # children import nothing from the working directory
    for number in END_OF_JOB:
        signal.signal(number, signal.default_int_handler)  # leave as after Ctrl-C
    if other_project_installed():
        _fail(
            group,
            "the distribution 'resim' is installed, another project that has the name of this package; run"
            " `pip uninstall -y resim resim-jets`, then `pip install resim-jets`",
            1,
        )
    complete_var = f"_{group.name}_COMPLETE".upper()
    if instruction := os.environ.get(complete_var):  # set by what `resim completion` prints
        sys.exit(shell_complete(group, {}, group.name or "", complete_var, instruction))
    try:
        with group.make_context(group.name, sys.argv[1:]) as context:
            group.invoke(context)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt as error:
        _fail(group, str(error) or "interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of stdout has gone, as in `resim inspect ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if "--debug" in sys.argv[1:]:
            raise
        _fail(group, shortened(one_line(error)), 1)
    sys.exit(0)


def other_project_installed() -> bool:
    """Whether PyPI's `resim` (a simulator of chemoresistance) is installed: it overwrites files of this package."""
    try:
        distribution("resim")
    except PackageNotFoundError:
        return False
    return True


def _fail(group: click.Group, message: str, status: int) -> NoReturn:
    click.echo(f"{group.name}: {message}", err=True)
    sys.exit(status)


def one_line(error: Exception) -> str:
    """What a user needs to know of an error, in one line."""
    if isinstance(error, ModuleNotFoundError):
        name = (error.name or "").split(".")[0]
        extra = next((extra for extra, packages in EXTRAS.items() if name in packages), None)
        remedy = f"; install it with: pip install 'resim-jets[{extra}]'" if extra else ""
        return f"the package {name!r} is not installed{remedy}"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    return f"unexpected {type(error).__name__}: {text} (a defect of this program; --debug shows where)"


def shortened(message: str) -> str:
    """A message without its middle where it is too long: it begins with the object and ends with the remedy.

    >>> len(shortened(400 * "x"))
    300
    """
    if len(message) <= LONGEST_MESSAGE:
        return message
    half = (LONGEST_MESSAGE - 5) // 2
    return f"{message[: LONGEST_MESSAGE - 5 - half]} ... {message[-half:]}"


def refuse_existing(path: Path, force: bool) -> None:
    """Refuse to write over an existing file unless told to.

    Raises:
        InputError: the file exists and `force` is not set, it is not a regular file, or its folder is missing.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is not a regular file; choose another output")
    if path.exists() and not force:
        raise InputError(f"{path}: exists already; choose another output, or --force to replace it")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; create it or choose another output")


def refuse_folder(path: Path, files: Sequence[str], force: bool) -> None:
    """Refuse to write files into a folder that holds others, or these already unless told to.

    Raises:
        InputError: the folder holds something else, or it has such files and `force` is not set, or it is a file.
    """
    if path.exists() and not path.is_dir():
        raise InputError(f"{path}: is a file, want a folder; give another -o")
    found = entries(path)
    if strangers := [name for name in found if name not in files]:
        raise InputError(f"{path}: holds {strangers[0]}, which this command did not write; give another -o")
    if found and not force:
        raise InputError(f"{path}: holds results already; give another -o, or --force to replace them")
