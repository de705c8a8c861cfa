"""External programs: they run in a scratch folder, with a log that an error points to."""

import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from resim.common.errors import InputError

_COLOUR: Final = re.compile("\x1b\\[[0-9;]*[A-Za-z]")
_ERROR: Final = re.compile(r"error|InvalidCmd|exception|\*\*\* Break|fatal|zero cross section", re.IGNORECASE)
_CONSEQUENCE: Final = re.compile(
    r"interrupted (in sub-command|with error)|with error:$|\b(no|0) errors?\b", re.IGNORECASE
)


@contextmanager
def scratch_folder(program: str) -> Iterator[Path]:
    """A temporary folder, which is left behind only if an `InputError` points to the log in it."""
    folder = Path(tempfile.mkdtemp(prefix=f"resim-{program}-"))
    keep = False
    try:
        yield folder
    except InputError:
        keep = True
        raise
    finally:
        if not keep:
            shutil.rmtree(folder)


def run_logged(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a program in the folder of its log, which takes all that it prints.

    Args:
        command: the program and its arguments.
        log: appended to.
        environment: of the program; None: as this process has it.

    Raises:
        InputError: the program cannot be run, or did not end with exit status 0.
    """
    name = f"`{Path(command[0]).name} {command[1]}`"
    with log.open("ab") as stream:
        try:
            done = subprocess.run(
                command,
                cwd=log.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except OSError as error:
            raise InputError(f"{name} cannot be run ({error.strerror}); repair the installation") from error
    if done.returncode:
        raise InputError(f"{name} {_ending(done.returncode)}: {first_error_of(log)}")


def _ending(code: int) -> str:
    return f"ended with exit status {code}" if code > 0 else f"was killed by {signal.Signals(-code).name}"


def first_error(text: str) -> str:
    """What a program says went wrong: the first line of its log that names an error, or the last one with words.

    The lines after it mostly say what followed from it ("interrupted in sub-command"), or draw rules. Colours of the
    terminal are left out; 200 characters are kept.

    >>> first_error("Command interrupted in sub-command:" + chr(10) + "InvalidCmd : no heft" + chr(10) + "=====")
    'InvalidCmd : no heft'
    """
    lines = [" ".join(_COLOUR.sub("", line).split()) for line in text.split("\n")]
    words = [line for line in lines if re.search("[A-Za-z]", line)]
    causes = [line for line in words if _ERROR.search(line) and not _CONSEQUENCE.search(line)]
    return [*causes[:1], *words[-1:], "it printed nothing"][0][:200]


def first_error_of(log: Path) -> str:
    """The same of a file."""
    return first_error(log.read_text(encoding="utf-8", errors="replace"))
