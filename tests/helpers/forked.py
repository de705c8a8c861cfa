"""Programs as processes of their own that need not import torch and Lightning anew, which takes most of a test's time.

A server, one for each worker of pytest, imports them once; programs are forked from it. What is forked is as clean as a
new interpreter: the server runs nothing else. The server itself starts when a test wants it first.
"""

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver, popen_forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from unittest import mock

from tests.helpers.programs import ENVIRONMENT

MAIN = "from jetssl.cli import main; main()"
PRELOADED = (
    "jetssl.training.pretrain",
    "jetssl.evaluation.finetune",
    "jetssl.evaluation.embed",
    "jetssl.report.page",
)
"""What the server imports; it says nothing of a name that does not exist, so a test looks."""
_SERVER = forkserver.ForkServer()  # not that of the module, from which `resim` forks its workers
_SERVER.set_forkserver_preload(list(PRELOADED))


class _Launched(popen_forkserver.Popen):
    def _launch(self, process_obj: BaseProcess) -> None:
        with mock.patch.object(forkserver, "connect_to_new_process", _SERVER.connect_to_new_process):
            super()._launch(process_obj)


class ForkedProcess(ForkServerProcess):
    """A process that is forked from the server of this module."""

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> _Launched:  # noqa: N802 (multiprocessing's name)
        return _Launched(process_obj)


def run_team(work: Callable[..., Any], *arguments: object) -> None:
    """Run `work(rank, *arguments)` in two processes; each must end with status 0."""
    team = [ForkedProcess(target=work, args=(rank, *arguments)) for rank in range(2)]
    for process in team:
        process.start()
    for process in team:
        process.join()
    assert [process.exitcode for process in team] == [0, 0]


@dataclass(frozen=True)
class Program:
    """A program that runs, or has ended."""

    process: BaseProcess
    folder: Path
    """holds what it prints, in `out` and `err`"""

    @property
    def pid(self) -> int:
        return self.process.pid or 0

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> CompletedProcess[str]:
        """Its status, minus the number of the signal that killed it; and what it printed."""
        self.process.join()
        out, err = ((self.folder / name).read_text() for name in ("out", "err"))
        shutil.rmtree(self.folder)
        return CompletedProcess([], self.process.exitcode or 0, out, err)


def start_program(
    code: str,
    *arguments: object,
    environment: Mapping[str, str] | None = None,
    group: int | None = None,
) -> Program:
    """Start `python -c CODE ARGUMENTS`; returns once it is in its group.

    Args:
        code: Python, run as `__main__`.
        arguments: what `sys.argv` holds after the name.
        environment: variables beside those of the tests.
        group: process group to join; 0: a new one, with the number of the process.
    """
    folder = Path(tempfile.mkdtemp(prefix="program."))
    ready, tell = multiprocessing.Pipe(duplex=False)
    words = [str(argument) for argument in arguments]
    command = _Command(code, words, ENVIRONMENT | dict(environment or {}), group, folder)
    process = ForkedProcess(target=_become, args=(command, tell))
    process.start()
    tell.close()
    ready.recv_bytes()
    return Program(process, folder)


@dataclass(frozen=True)
class _Command:
    code: str
    words: Sequence[str]
    environment: Mapping[str, str]
    group: int | None
    folder: Path


def _become(command: _Command, ready: Connection) -> None:
    if command.group is not None:
        os.setpgid(0, command.group)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(command.environment)
    for number, name in ((1, "out"), (2, "err")):
        opened = os.open(command.folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["jetssl", *command.words]
    ready.send_bytes(b"")
    ready.close()
    exec(command.code, {"__name__": "__main__"})  # noqa: S102 (the tests' own code)


def run_program(code: str, *arguments: object, environment: Mapping[str, str] | None = None) -> CompletedProcess[str]:
    """`python -c CODE ARGUMENTS`, to its end."""
    return start_program(code, *arguments, environment=environment).wait()


def run_jetssl(*arguments: object) -> CompletedProcess[str]:
    """`jetssl ARGUMENTS`, to its end."""
    return run_program(MAIN, *arguments)
