"""Programs that tests put on PATH in place of those that are not installed here."""

import os
import shlex
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
"""Runs a command as root of a mount namespace of its own, where it may mount a small disk."""


def install_program(path: Path, code: str) -> Path:
    """Make a Python program that starts under any name and from any folder, also one with a blank in its name.

    The line after `#!` cannot quote a blank, so a shell starts the interpreter. What it prints is in the log in order,
    as that of a C++ program.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    script = path.parent / f".{path.name}.py"
    script.write_text(code)
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -u {shlex.quote(str(script))} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def install_stand_in(path: Path, module: str) -> Path:
    """Make a program of `tests.helpers.MODULE`, which takes the place of one that is not installed here."""
    repository = Path(__file__).parents[2]
    code = f"import sys\nsys.path[:0] = [{str(repository)!r}]\nfrom tests.helpers.{module} import main\n"
    return install_program(path, code + "sys.exit(main(sys.argv[1:]))\n")


def want_namespace(instead: str, *command: str) -> None:
    """Leave a test out where users may have no namespace of their own, and name the test that stands for it.

    CI has to have one: there, the test fails.

    Args:
        instead: the other test.
        command: what must succeed in the namespace.
    """
    missing = subprocess.run([*NAMESPACE, *(command or ["true"])], capture_output=True, check=False).returncode
    reason = f"this machine does not let a user run {' '.join([*NAMESPACE, *command])}"
    if missing and os.environ.get("CI"):
        pytest.fail(f"CI has to run this test; {reason}")
    if missing:
        pytest.skip(f"{reason}; {instead} stands for it")


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
