"""Delphes cards: Tcl scripts that configure modules and give the order in which they run."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

from resim.card.delphes_card import EvaluatedCard, ModuleText, evaluate_card
from resim.common.errors import InputError
from resim.common.tcl.values import TclError, Value, items_of, text_of
from resim.detector.formula import Formula


@dataclass(frozen=True)
class CardModule:
    """One `module KIND NAME { ... }` of a card.

    Attributes:
        card: path of the card.
        kind: class of the module, e.g. `SimpleCalorimeter`.
        name: name of the instance, e.g. `ECal`.
        line: line of the card where it starts, from 1.
        parameters: Tcl value of every parameter; a list stays a list until it is asked for as text.
        lines: line of the card where a parameter is first set; those set by a loop or outside are missing.
    """

    card: Path
    kind: str
    name: str
    line: int
    parameters: Mapping[str, Value]
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
        try:
            return text_of(value)
        except TclError as error:
            self.fail(f"{error}", parameter)

    def number(self, parameter: str, default: float | None = None) -> float:
        """Value of a parameter that is a finite number."""
        text = self.text(parameter, None if default is None else str(default))
        value = self._float(text, parameter)
        if not abs(value) < float("inf"):
            self.fail(f"{text!r} is not finite", parameter)
        return value

    def positive(self, parameter: str, default: float | None = None) -> float:
        """Value of a parameter that is a number above 0."""
        value = self.number(parameter, default)
        if value <= 0:
            self.fail(f"{value:g} is not positive", parameter)
        return value

    def flag(self, parameter: str, default: bool) -> bool:
        """Value of a parameter that is a Tcl boolean."""
        return self._flag(self.text(parameter, str(default)), parameter)

    def flags(self, parameter: str) -> list[bool]:
        """Elements of a parameter that is a Tcl list of booleans."""
        return [self._flag(text_of(item), parameter) for item in self.items(parameter)]

    def _flag(self, text: str, parameter: str) -> bool:
        if text.lower() in {"1", "true", "yes", "on"}:
            return True
        if text.lower() not in {"0", "false", "no", "off"}:
            self.fail(f"{text[:40]!r} is not a boolean; want true or false", parameter)
        return False

    def items(self, parameter: str) -> list[Value]:
        """Elements of a parameter that is a Tcl list."""
        if parameter not in self.parameters:
            self.text(parameter)  # says that it is missing
        return self._split(self.parameters[parameter], parameter)

    def pairs(self, parameter: str) -> list[tuple[Value, Value]]:
        """Elements of a parameter that is a Tcl list of alternating keys and values."""
        items = self.items(parameter)
        if len(items) % 2:
            self.fail(f"has {len(items)} elements; want pairs", parameter)
        return list(zip(items[::2], items[1::2], strict=True))

    def numbers(self, lists: Sequence[Value], parameter: str) -> list[tuple[float, ...]]:
        """Numbers of several Tcl lists that are part of a parameter; a list that stands twice is read once."""
        read: dict[int, tuple[float, ...]] = {}
        for value in lists:
            if id(value) not in read:
                items = self._split(value, parameter)
                read[id(value)] = tuple(self._float(text_of(item), parameter) for item in items)
        return [read[id(value)] for value in lists]

    def _split(self, value: Value, parameter: str) -> list[Value]:
        try:
            return list(items_of(value))
        except TclError:
            self.fail(f"{text_of(value).strip()[:60]!r} is not a Tcl list; balance its braces and quotes", parameter)

    def without_values(self) -> "CardModule":
        """The module as messages need it, without the values of its parameters."""
        return replace(self, parameters={})

    def formula(self, parameter: str, variables: Sequence[str], default: str | None = None) -> Formula:
        """Value of a parameter that is a `TFormula` expression of some variables."""
        try:
            return Formula.parse(self.text(parameter, default), variables)
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
        sources: the files that the card sources; their content belongs to it.
        repeated: names that stand more than once in the execution path; `modules` has them once.
    """

    path: Path
    modules: tuple[CardModule, ...]
    sources: tuple[Path, ...] = ()
    repeated: frozenset[str] = frozenset()

    @cached_property
    def by_name(self) -> dict[str, CardModule]:
        """The modules by their names."""
        return {module.name: module for module in self.modules}


def read_card(path: Path) -> Card:
    """Evaluate a Delphes card.

    Args:
        path: the card; it may source files in its folder or below.

    Returns:
        The modules that the card's `ExecutionPath` names, in that order.

    Raises:
        InputError: the card cannot be read, is wrong Tcl, goes beyond a limit of `resim.common.tcl`, has no
            execution path, or the path names a module that is not defined.
    """
    evaluated = evaluate_card(path)
    names = _execution_path(path, evaluated)
    lines = path.read_text(encoding="utf-8").splitlines()
    modules = tuple(_card_module(path, lines, evaluated.modules[name]) for name in dict.fromkeys(names))
    repeated = frozenset(name for name in names if names.count(name) > 1)
    return Card(path, modules, tuple(evaluated.sources), repeated)


def _card_module(path: Path, lines: list[str], module: ModuleText) -> CardModule:
    lines_of = _parameter_lines(lines, module.line)
    return CardModule(path, module.kind, module.name, module.line, module.parameters, lines_of)


def _execution_path(path: Path, evaluated: EvaluatedCard) -> list[str]:
    try:
        names = [text_of(name) for name in items_of(evaluated.path or "")]
    except TclError as error:
        raise InputError(f"{path}: ExecutionPath is not a Tcl list ({error})") from error
    if not names:
        raise InputError(f"{path}: no ExecutionPath; want a Delphes card with `set ExecutionPath {{ ... }}`")
    for name in names:
        if name not in evaluated.modules:
            raise InputError(f"{path}: ExecutionPath names {name!r}, which the card does not define as a module")
    return names


def _parameter_lines(lines: list[str], first: int) -> dict[str, int]:
    """Line where every parameter of a module is first set, looked for from the module's line on."""
    found: dict[str, int] = {}
    for number, line in enumerate(lines[first - 1 :], first):
        if number > first and re.match(r"\s*module\s", line):
            break
        setting = re.match(r"\s*(?:set|add)\s+(\w+)", line)
        if setting:
            found.setdefault(setting[1], number)
    return found
