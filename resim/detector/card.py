"""Delphes cards: Tcl scripts that configure modules and give the order in which they run."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NoReturn

from resim.common.errors import InputError
from resim.detector.formula import Formula

TIME_LIMIT_S: Final = 5
"""Time that a card may take to be evaluated; the cards of Delphes take less than 0.1 s."""
_PROGRAM = Path(__file__).with_name("evaluate_card.py")


@dataclass(frozen=True)
class CardModule:
    """One `module KIND NAME { ... }` of a card.

    Attributes:
        card: path of the card.
        kind: class of the module, e.g. `SimpleCalorimeter`.
        name: name of the instance, e.g. `ECal`.
        line: line of the card where it starts, from 1.
        parameters: Tcl value of every parameter.
        lines: line of the card where a parameter is first set; those set by a loop or outside are missing.
    """

    card: Path
    kind: str
    name: str
    line: int
    parameters: dict[str, str]
    lines: dict[str, int]

    def fail(self, reason: str, parameter: str | None = None) -> NoReturn:
        """Raise an `InputError` that names card, line, module and parameter."""
        line = self.line if parameter is None else self.lines.get(parameter, self.line)
        what = self.name if parameter is None else f"{self.name}.{parameter}"
        raise InputError(f"{self.card}:{line}: {what}: {reason}")

    def text(self, parameter: str, default: str | None = None) -> str:
        """Value of a parameter; without a default, it must be there."""
        value = self.parameters.get(parameter, default)
        if value is None:
            self.fail(f"the {self.kind} has no {parameter}; add `set {parameter} ...` to the module", None)
        return value

    def number(self, parameter: str, default: float | None = None) -> float:
        """Value of a parameter that is a finite number."""
        text = self.text(parameter, None if default is None else str(default))
        value = self._float(text, parameter)
        if not abs(value) < float("inf"):
            self.fail(f"{text!r} is not finite", parameter)
        return value

    def positive(self, parameter: str) -> float:
        """Value of a parameter that is a number above 0."""
        value = self.number(parameter)
        if value <= 0:
            self.fail(f"{value:g} is not positive", parameter)
        return value

    def flag(self, parameter: str, default: bool) -> bool:
        """Value of a parameter that is a Tcl boolean."""
        text = self.text(parameter, str(default)).lower()
        if text in {"1", "true", "yes", "on"}:
            return True
        if text not in {"0", "false", "no", "off"}:
            self.fail(f"{text!r} is not a boolean; want true or false", parameter)
        return False

    def items(self, parameter: str) -> list[str]:
        """Elements of a parameter that is a Tcl list."""
        return self._split([self.text(parameter)], parameter)[0]

    def pairs(self, parameter: str) -> list[tuple[str, str]]:
        """Elements of a parameter that is a Tcl list of alternating keys and values."""
        items = self.items(parameter)
        if len(items) % 2:
            self.fail(f"has {len(items)} elements; want pairs", parameter)
        return list(zip(items[::2], items[1::2], strict=True))

    def numbers(self, lists: Sequence[str], parameter: str) -> list[list[float]]:
        """Numbers of several Tcl lists that are part of a parameter."""
        return [[self._float(item, parameter) for item in items] for items in self._split(lists, parameter)]

    def _split(self, lists: Sequence[str], parameter: str) -> list[list[str]]:
        tcl = _tcl()
        for text in lists:
            if not tcl.getboolean(tcl.call("string", "is", "list", text)):
                self.fail(f"{text.strip()[:60]!r} is not a Tcl list; balance its braces and quotes", parameter)
        return [[str(item) for item in tcl.splitlist(text)] for text in lists]

    def without_values(self) -> "CardModule":
        """The module as messages need it, without the values of its parameters."""
        return replace(self, parameters={})

    def formula(self, parameter: str, variables: Sequence[str]) -> Formula:
        """Value of a parameter that is a `TFormula` expression of some variables."""
        try:
            return Formula.parse(self.text(parameter), variables)
        except InputError as error:
            self.fail(str(error), parameter)

    def _float(self, text: str, parameter: str) -> float:
        try:
            return float(text)
        except ValueError:
            self.fail(f"{text.strip()[:40]!r} is not a number", parameter)


@dataclass(frozen=True)
class Card:
    """What a Delphes card defines.

    Attributes:
        path: the file.
        modules: the modules in the order of the card's `ExecutionPath`.
    """

    path: Path
    modules: tuple[CardModule, ...]

    @cached_property
    def by_name(self) -> dict[str, CardModule]:
        """The modules by their names."""
        return {module.name: module for module in self.modules}


def read_card(path: Path, time_limit_s: int = TIME_LIMIT_S) -> Card:
    """Evaluate a Delphes card in a safe Tcl interpreter, in a process of its own with bounded time and memory.

    Args:
        path: the card.
        time_limit_s: time after which its evaluation is an error.

    Returns:
        The modules that the card's `ExecutionPath` names, in that order.

    Raises:
        InputError: the card cannot be read, is wrong Tcl, takes too long, has no execution path, or the path names a
            module that is not defined or stands twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); want a Delphes card (Tcl)") from error
    _tcl()  # a clear message where there is none
    evaluated = _evaluate(path, text, time_limit_s)
    defined: dict[str, dict[str, Any]] = {}
    for module in evaluated["modules"]:
        defined.setdefault(module["name"], module)  # Delphes: only the first of a name is used
    names = _execution_path(path, evaluated["path"], defined)
    lines = text.splitlines()
    modules = tuple(CardModule(card=path, lines=_parameter_lines(lines, defined[n]), **defined[n]) for n in names)
    return Card(path, modules)


def _tcl() -> Any:
    """A Tcl interpreter.

    Raises:
        InputError: this Python has none.
    """
    try:
        import tkinter
    except ImportError as error:
        raise InputError(f"this Python has no Tcl ({error}), which Delphes cards need; install python3-tk") from error
    return tkinter.Tcl()


def _evaluate(path: Path, text: str, time_limit_s: int) -> dict[str, Any]:
    limit = f"cards have {time_limit_s} s and 1 GiB"
    command = [sys.executable, "-I", str(_PROGRAM), str(time_limit_s)]
    try:
        # The process ends itself; this limit is for a machine that does not let it run.
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, check=False, timeout=60 + time_limit_s
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{path}: was not evaluated in {error.timeout:g} s; {limit}") from error
    if done.returncode != 0:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2] or "the process was killed"
        raise InputError(f"{path}: cannot be evaluated ({last}); {limit}; look for an endless loop or a huge number")
    result: dict[str, Any] = json.loads(done.stdout)
    if "error" in result:
        line = f":{result['line']}" if result["line"] else ""
        reason = " ".join(result["error"].split())
        raise InputError(f"{path}{line}: Tcl: {reason}; correct the card ({limit})")
    return result


def _execution_path(path: Path, value: str, defined: dict[str, Any]) -> list[str]:
    names = [str(name) for name in _tcl().splitlist(value)]
    if not names:
        raise InputError(f"{path}: no ExecutionPath; want a Delphes card with `set ExecutionPath {{ ... }}`")
    for i, name in enumerate(names):
        if name not in defined:
            raise InputError(f"{path}: ExecutionPath names {name!r}, which the card does not define as a module")
        if name in names[:i]:
            raise InputError(f"{path}: ExecutionPath names {name!r} twice; remove one")
    return names


def _parameter_lines(lines: list[str], module: dict[str, Any]) -> dict[str, int]:
    """Line where every parameter of a module is first set, looked for from the module's line on."""
    found: dict[str, int] = {}
    for number, line in enumerate(lines[module["line"] - 1 :], module["line"]):
        if number > module["line"] and re.match(r"\s*module\s", line):
            break
        setting = re.match(r"\s*(?:set|add)\s+(\w+)", line)
        if setting:
            found.setdefault(setting[1], number)
    return found
