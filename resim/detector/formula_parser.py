"""Parser of formulas in Delphes cards (ROOT's `TFormula`): text → list of operations, by recursive descent."""

import re
from typing import Final

import numpy as np

from resim.common.errors import InputError
from resim.common.limits import FORMULA_CHARACTERS, FORMULA_DEPTH
from resim.detector.formula_operations import FUNCTIONS, Step

_TOKEN: Final = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>(?:TMath::)?[A-Za-z_]\w*)"
    r"|(?P<operator>\*\*|<=|>=|==|!=|&&|\|\||[-+*/%^<>!?:(),])"
)
BLANKS: Final = re.compile(r"[\s\\]+")
"""Delphes removes blanks, line ends and backslashes before ROOT sees the text."""
_BINARY: Final = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))
"""Binary operators from loose to tight, left-associative, as in C++; only `^` is tighter and right-associative."""


def tokens_of(text: str) -> list[tuple[str, str]]:
    """Kind and text of every token."""
    if len(text) > FORMULA_CHARACTERS:
        raise InputError(f"the formula has {len(text)} characters, want {FORMULA_CHARACTERS} at most; shorten it")
    tokens, position = [], 0
    text = BLANKS.sub(" ", text)
    while position < len(text):
        if text[position] == " ":
            position += 1
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise InputError(f"character {text[position]!r} in the formula {text.strip():.60} is not understood")
        tokens.append((str(match.lastgroup), match[0]))
        position = match.end()
    return tokens


class Parser:
    """Turns the tokens of a formula into steps. Equal steps are stored once.

    Args:
        tokens: kind and text of every token, from `tokens_of`.
        variables: names that the formula may use.

    Attributes:
        steps: the operations found so far; the arguments of each come before it.
    """

    def __init__(self, tokens: list[tuple[str, str]], variables: tuple[str, ...]) -> None:
        self.steps: list[Step] = []
        self._numbers: dict[Step, int] = {}
        self._tokens = tokens
        self._position = 0
        self._depth = 0
        self._variables = variables

    def parse(self) -> int:
        """Parse everything.

        Returns:
            The index of the step that gives the result.

        Raises:
            InputError: syntax, an unknown name, or too deep nesting.
        """
        if not self._tokens:
            raise InputError("the formula is empty")
        result = self._ternary()
        if self._position < len(self._tokens):
            raise InputError(f"{self._peek()!r} in the formula is not expected after {self._before()!r}")
        return result

    def _peek(self) -> str:
        return self._tokens[self._position][1] if self._position < len(self._tokens) else "the end"

    def _before(self) -> str:
        return "".join(text for _, text in self._tokens[max(0, self._position - 8) : self._position])

    def _take(self, *operators: str) -> str | None:
        """The next token, if it is one of these operators."""
        token = self._peek()
        if token not in operators:
            return None
        self._position += 1
        return token

    def _expect(self, operator: str) -> None:
        if self._take(operator) is None:
            raise InputError(f"want {operator!r} in the formula after {self._before()!r}, not {self._peek()!r}")

    def _step(self, step: Step) -> int:
        if step not in self._numbers:
            self._numbers[step] = len(self.steps)
            self.steps.append(step)
        return self._numbers[step]

    def _ternary(self) -> int:
        self._depth += 1
        if self._depth > FORMULA_DEPTH:
            raise InputError(f"the formula is nested more than {FORMULA_DEPTH} deep; simplify it")
        result = self._binary(0)
        if self._take("?"):
            yes = self._ternary()
            self._expect(":")
            result = self._step(Step("?:", (result, yes, self._ternary())))
        self._depth -= 1
        return result

    def _binary(self, level: int) -> int:
        if level == len(_BINARY):
            return self._unary()
        left = self._binary(level + 1)
        while operator := self._take(*_BINARY[level]):
            left = self._step(Step(operator, (left, self._binary(level + 1))))
        return left

    def _unary(self) -> int:
        signs = []
        while sign := self._take("-", "+", "!"):
            signs.append(sign)
        result = self._power()
        for sign in reversed(signs):
            if sign != "+":
                result = self._step(Step("negative" if sign == "-" else "!", (result,)))
        return result

    def _power(self) -> int:
        bases = [self._primary()]
        negative = []
        while self._take("^", "**"):
            negative.append(self._take("-", "+") == "-")
            bases.append(self._primary())
        result = bases.pop()
        while bases:
            result = self._step(Step("negative", (result,))) if negative.pop() else result
            result = self._step(Step("^", (bases.pop(), result)))
        return result

    def _primary(self) -> int:
        if self._take("("):
            result = self._ternary()
            self._expect(")")
            return result
        if self._position == len(self._tokens):
            raise InputError(f"the formula ends after {self._before()!r}, where a value is wanted")
        kind, text = self._tokens[self._position]
        self._position += 1
        if kind == "number":
            return self._step(Step("constant", constant=float(text)))
        if kind == "name":
            return self._name(text)
        raise InputError(f"{text!r} in the formula stands where a value is wanted, after {self._before()!r}")

    def _name(self, text: str) -> int:
        name = text.removeprefix("TMath::")
        name = name.lower() if name != text else name
        if self._peek() != "(":
            if name in self._variables:
                return self._step(Step(name))
            if name == "pi":
                return self._step(Step("constant", constant=float(np.pi)))
            raise InputError(f"unknown variable {text} in the formula; known: {', '.join(self._variables)}, pi")
        if text == "TMath::Pi":
            self._expect("(")
            self._expect(")")
            return self._step(Step("constant", constant=float(np.pi)))
        if name not in FUNCTIONS:
            raise InputError(f"unknown function {text} in the formula; known: {', '.join(FUNCTIONS)}")
        return self._step(Step(name, self._arguments(text, FUNCTIONS[name][0])))

    def _arguments(self, function: str, arity: int) -> tuple[int, ...]:
        self._expect("(")
        arguments = [self._ternary()]
        while self._take(","):
            arguments.append(self._ternary())
        self._expect(")")
        if len(arguments) != arity:
            raise InputError(f"{function} in the formula has {len(arguments)} arguments, wants {arity}")
        return tuple(arguments)
