"""The part of Tcl that Delphes cards use: variables, lists, loops, conditions, expressions (Tcl manual).

No files, processes, procedures or other interpreters; steps, depth, sizes and numbers have limits of our own, so that
a card can neither hang the program nor take its memory.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from resim.common.limits import TCL_DEPTH, TCL_STEPS, TCL_TEXT
from resim.common.tcl.arithmetic import Operand, number_of, text_of_number, truth
from resim.common.tcl.expression import evaluate
from resim.common.tcl.lists import LIST_COMMANDS, Arguments, want
from resim.common.tcl.values import TclError, TclList, Value, items_of, text_of
from resim.common.tcl.words import Braced, Command, Part, Word, parse_script

_COPIED_PER_STEP: Final = 100
"""Characters or elements whose copy costs a step."""

Variables = dict[str, Value]


class Interpreter:
    """Runs scripts. Variables live in namespaces; that of the card itself is `""`.

    Attributes:
        namespaces: variables by namespace, by name.
        commands: what a card may call, by name.
    """

    def __init__(self) -> None:
        """An interpreter without any variable."""
        self.namespaces: dict[str, Variables] = {"": {}}
        self.commands: dict[str, Callable[[Arguments], Value]] = {
            "expr": self._expr,
            "for": self._for,
            "foreach": self._foreach,
            "if": self._if,
            "incr": self._incr,
            "lappend": self.append,
            "puts": lambda _: "",
            "set": self._set,
            **{name: self._costing(command) for name, command in LIST_COMMANDS.items()},
        }
        self.line = 1
        self._namespace = ""
        self._steps = 0
        self._depth = 0

    # -- scripts

    def run(self, script: str, first_line: int | None = None) -> Value:
        """Run a script; its value is that of its last command.

        Args:
            script: the text. Text that stood between braces knows its lines.
            first_line: number of its first line; if not given, what the text knows or the present line.

        Raises:
            TclError: the script is wrong or beyond a limit.
        """
        line = first_line or getattr(script, "line", self.line)
        value: Value = ""
        with self._one_deeper():
            for command in parse_script(str(script), line):
                self.line = command.line
                try:
                    value = self._run(command)
                except TclError as error:
                    error.line = error.line or command.line
                    raise
        return value

    @contextmanager
    def inside(self, namespace: str) -> Iterator[None]:
        """Variables that are set meanwhile belong to this namespace."""
        before, self._namespace = self._namespace, namespace
        self.namespaces.setdefault(namespace, {})
        try:
            yield
        finally:
            self._namespace = before

    @contextmanager
    def _one_deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > TCL_DEPTH:
            raise TclError(f"too many nested evaluations (the limit is {TCL_DEPTH})")
        try:
            yield
        finally:
            self._depth -= 1

    def spend(self, copied: int = 0) -> None:
        """Count a step, and what it copies.

        Raises:
            TclError: the steps are used up.
        """
        self._steps += 1 + copied // _COPIED_PER_STEP
        if self._steps > TCL_STEPS:
            raise TclError(f"more than {TCL_STEPS} steps; look for an endless loop")

    def _run(self, command: Command) -> Value:
        self.spend()
        words = self._words(command.words)
        if not words:
            return ""
        name = text_of(words[0])
        if name not in self.commands:
            known = ", ".join(sorted(self.commands))
            raise TclError(f'invalid command name "{name[:40]}"; cards may use {known}')
        return self.commands[name](words[1:])

    # -- words

    def _words(self, words: Sequence[Word]) -> list[Value]:
        values: list[Value] = []
        for word in words:
            value = word.literal if word.literal is not None else self._value(word.parts)
            if word.expand:
                values += items_of(value)
                self.spend(len(values))
            else:
                values.append(value)
        return values

    def _value(self, parts: Sequence[Part]) -> Value:
        """A word; one that is a single variable or script keeps a list as it is."""
        if len(parts) == 1:
            return self._part(parts[0])
        texts = [text_of(self._part(part)) for part in parts]
        length = sum(map(len, texts))
        if length > TCL_TEXT:
            raise TclError(f"a value has more than {TCL_TEXT} characters")
        self.spend(length)
        return "".join(texts)

    def _part(self, part: Part) -> Value:
        if part.kind == "text":
            return part.text
        if part.kind == "script":
            return self.run(part.text, part.line or None)
        name = part.text if part.index is None else f"{part.text}({text_of(self._value(part.index))})"
        return self.get(name)

    # -- variables

    def get(self, name: str) -> Value:
        """Value of a variable, of this namespace or else of the card.

        Raises:
            TclError: there is none.
        """
        variables, plain = self._home(name)
        if plain not in variables:
            raise TclError(f'can\'t read "{name[:40]}": no such variable')
        value = variables[plain]
        if isinstance(value, TclList):
            value.shared = True
        return value

    def assign(self, name: str, value: Value) -> Value:
        """Set a variable."""
        variables, plain = self._home(name)
        if isinstance(value, TclList):
            value.shared = True
        variables[plain] = value
        return value

    def _home(self, name: str) -> tuple[Variables, str]:
        """Where a variable lives: a namespace uses the card's variable of that name unless it has its own."""
        plain = name.removeprefix("::")
        if "::" in plain:
            namespace, _, plain = plain.rpartition("::")
            if namespace not in self.namespaces:
                raise TclError(f'"{name[:40]}": no module {namespace[:40]!r}')
            return self.namespaces[namespace], plain
        own, card = self.namespaces[self._namespace], self.namespaces[""]
        return (card if name != plain or (plain in card and plain not in own) else own), plain

    # -- commands

    def append(self, arguments: Arguments) -> Value:
        """`lappend name value ...`: elements at the end of a list, which begins empty."""
        name = text_of(want(arguments, 1, None, "lappend varName ?value ...?")[0])
        variables, plain = self._home(name)
        value = variables.get(plain, "")
        if not isinstance(value, TclList) or value.shared:
            elements = items_of(value)
            self.spend(len(elements))
            value = TclList(elements)
        value.items += arguments[1:]
        variables[plain] = value
        return ""  # nothing in a card reads what lappend returns, and a second holder would cost a copy

    def _costing(self, command: Callable[[Arguments], Value]) -> Callable[[Arguments], Value]:
        """A command that pays for the list or the text that it makes."""

        def paid(arguments: Arguments) -> Value:
            value = command(arguments)
            self.spend(len(value.items) if isinstance(value, TclList) else len(value))
            return value

        return paid

    def _set(self, arguments: Arguments) -> Value:
        want(arguments, 1, 2, "set varName ?newValue?")
        name = text_of(arguments[0])
        return self.get(name) if len(arguments) == 1 else self.assign(name, arguments[1])

    def _incr(self, arguments: Arguments) -> Value:
        want(arguments, 1, 2, "incr varName ?increment?")
        name, by = text_of(arguments[0]), arguments[1] if len(arguments) == 2 else "1"
        variables, plain = self._home(name)
        total = 0
        for value in (variables.get(plain, "0"), by):
            number = number_of(text_of(value))
            if not isinstance(number, int):
                raise TclError(f'expected integer but got "{text_of(value)[:40]}"')
            total += number
        return self.assign(name, text_of_number(number_of(str(total)) or 0))

    def _expr(self, arguments: Arguments) -> Value:
        want(arguments, 1, None, "expr arg ?arg ...?")
        return text_of_number(self._evaluate(" ".join(text_of(argument) for argument in arguments)))

    def _evaluate(self, text: str) -> Operand:
        self.spend(_COPIED_PER_STEP * len(text))  # parsed character by character
        return evaluate(text, lambda part: text_of(self._part(part)))

    def _for(self, arguments: Arguments) -> Value:
        start, test, following, body = map(_script, want(arguments, 4, 4, "for start test next command"))
        self.run(start)
        while truth(self._evaluate(test)):
            self.spend()
            self.run(body)
            self.run(following)
        return ""

    def _foreach(self, arguments: Arguments) -> Value:
        """`foreach varList list ... command`: lists that are too short give empty text."""
        if len(arguments) < 3 or len(arguments) % 2 == 0:
            raise TclError('wrong # args: should be "foreach varList list ?varList list ...? command"')
        loops = []
        for variables, values in zip(arguments[:-1:2], arguments[1::2], strict=True):
            names, elements = [text_of(name) for name in items_of(variables)], list(items_of(values))
            if not names:
                raise TclError("foreach varlist is empty")
            self.spend(len(elements))
            loops.append((names, elements, -(-len(elements) // len(names))))
        for turn in range(max(turns for _, _, turns in loops)):
            for names, elements, _ in loops:
                for i, name in enumerate(names, turn * len(names)):
                    self.assign(name, elements[i] if i < len(elements) else "")
            self.run(_script(arguments[-1]))
        return ""

    def _if(self, arguments: Arguments) -> Value:
        rest = list(arguments)
        while True:
            if len(rest) < 2:
                raise TclError("wrong # args: no script following the condition of if")
            test = text_of(rest.pop(0))
            if text_of(rest[0]) == "then":
                rest.pop(0)
            body = _script(want(rest, 1, None, "if test ?then? body")[0])
            if truth(self._evaluate(test)):
                return self.run(body)
            if len(rest) > 1 and text_of(rest[1]) == "elseif":
                rest = rest[2:]
                continue
            otherwise = [part for i, part in enumerate(rest[1:]) if i or text_of(part) != "else"]
            return self.run(_script(want(otherwise, 1, 1, "if test body else body")[0])) if rest[1:] else ""


def _script(value: Value) -> str:
    """A value as a script: text between braces keeps its line."""
    return value if isinstance(value, Braced) else text_of(value)
