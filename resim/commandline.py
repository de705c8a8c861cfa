"""What both command lines share: one line for bad input, exit status 1, a traceback only with `--debug`."""

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from resim.errors import InputError

EXTRAS = {
    "generate": ("awkward", "fastjet", "pylhe", "pythia8mc"),
    "train": ("jinja2", "lightning", "matplotlib", "mplhep", "sklearn", "tensorboard", "torch"),
}
"""Packages of each optional extra, by the name under which they are imported."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it (128 + SIGINT)."""


def run(group: click.Group) -> NoReturn:
    """Run a command group as a program and leave with its exit status."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    debug = "--debug" in sys.argv[1:]
    try:
        sys.exit(group.main(standalone_mode=False))
    except click.UsageError as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail(group, "interrupted", INTERRUPTED)
    except (InputError, ModuleNotFoundError, OSError) as error:
        if debug:
            raise
        if isinstance(error, BrokenPipeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        _fail(group, one_line(error), 1)


def _fail(group: click.Group, message: str, status: int) -> NoReturn:
    click.echo(f"{group.name}: {message}", err=True)
    sys.exit(status)


def one_line(error: Exception) -> str:
    """What a user needs to know of an error, in one line."""
    if isinstance(error, ModuleNotFoundError):
        name = (error.name or "").split(".")[0]
        extra = next((extra for extra, packages in EXTRAS.items() if name in packages), None)
        remedy = f"; install it with: pip install 'resim[{extra}]'" if extra else ""
        return f"the package {name!r} is not installed{remedy}"
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return " ".join(str(error).split())


def refuse_existing(path: Path, force: bool) -> None:
    """Refuse to write over an existing file unless told to.

    Raises:
        InputError: the file exists and `force` is not set, or its folder is missing.
    """
    if path.exists() and not force:
        raise InputError(f"{path}: exists already; choose another output, or --force to replace it")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; create it or choose another output")
