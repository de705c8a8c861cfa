"""External programs: they run in a scratch folder, with a log that an error points to."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from resim.common.errors import InputError


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
        raise InputError(f"{name} {_ending(done.returncode)}: {last_line(log)}")


def _ending(code: int) -> str:
    return f"ended with exit status {code}" if code > 0 else f"was killed by {signal.Signals(-code).name}"


def last_line(log: Path) -> str:
    """The last line of a log that is not empty, shortened to 200 characters."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    words = [" ".join(line.split()) for line in lines if line.strip()]
    return words[-1][:200] if words else "it printed nothing"
