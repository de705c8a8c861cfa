"""Formulas of Delphes cards (ROOT's `TFormula`) as vectorized NumPy, by a parser: `eval` never sees their text."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.common.errors import InputError

Floats = npt.NDArray[np.float64]
_NESTING_LIMIT = 50
_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>(?:TMath::)?[A-Za-z_]\w*)"
    r"|(?P<operator>\*\*|<=|>=|==|!=|&&|\|\||[-+*/%^<>!?:(),])"
)
_BLANKS = re.compile(r"[\s\\]+")  # Delphes removes blanks, line ends and backslashes before ROOT sees the text


def _number(value: Any) -> Any:
    """Truth values as 0.0 and 1.0, numbers as they are."""
    return value.astype(np.float64) if getattr(value, "dtype", None) == np.bool_ else value


def _arithmetic(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: function(*(_number(argument) for argument in arguments))


def _truth(value: Any) -> Any:
    return value if getattr(value, "dtype", None) == np.bool_ else np.not_equal(value, 0)


_OPERATIONS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
    # Two truth values multiply to a truth value, which keeps (a) * (b) * number cheap.
    "*": (2, np.multiply),
    "+": (2, _arithmetic(np.add)),
    "-": (2, _arithmetic(np.subtract)),
    "/": (2, _arithmetic(np.divide)),
    "%": (2, _arithmetic(np.fmod)),
    "^": (2, _arithmetic(lambda base, exponent: np.asarray(base) ** exponent)),  # squares where the exponent is 2
    "negative": (1, _arithmetic(np.negative)),
    "!": (1, lambda value: ~_truth(value)),
    "&&": (2, lambda left, right: _truth(left) & _truth(right)),
    "||": (2, lambda left, right: _truth(left) | _truth(right)),
    "<": (2, np.less),
    "<=": (2, np.less_equal),
    ">": (2, np.greater),
    ">=": (2, np.greater_equal),
    "==": (2, np.equal),
    "!=": (2, np.not_equal),
    "?:": (3, lambda condition, yes, no: np.where(_truth(condition), _number(yes), _number(no))),
}
_FUNCTIONS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
    name: (arity, _arithmetic(function))
    for name, arity, function in (
        ("abs", 1, np.abs),
        ("fabs", 1, np.abs),
        ("sqrt", 1, np.sqrt),
        ("exp", 1, np.exp),
        ("log", 1, np.log),
        ("log10", 1, np.log10),
        ("sin", 1, np.sin),
        ("cos", 1, np.cos),
        ("tan", 1, np.tan),
        ("asin", 1, np.arcsin),
        ("acos", 1, np.arccos),
        ("atan", 1, np.arctan),
        ("atan2", 2, np.arctan2),
        ("sinh", 1, np.sinh),
        ("cosh", 1, np.cosh),
        ("tanh", 1, np.tanh),
        ("floor", 1, np.floor),
        ("ceil", 1, np.ceil),
        ("pow", 2, np.power),
        ("power", 2, np.power),
        ("min", 2, np.minimum),
        ("max", 2, np.maximum),
    )
}
_BINARY: Final = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))
"""Binary operators from loose to tight, left-associative, as in C++; only `^` is tighter and right-associative."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a formula: `operation` of the results of earlier steps, or a constant, or a variable."""

    operation: str
    arguments: tuple[int, ...] = ()
    constant: float = 0.0


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as a list of steps, equal parts only once; the last step is the result.

    Attributes:
        text: the formula without blanks.
        variables: the variables that it uses.
        steps: the operations.
        last_uses: for every step, which results are not needed after it.
    """

    text: str
    variables: frozenset[str]
    steps: tuple[Step, ...]
    last_uses: tuple[tuple[int, ...], ...]

    @classmethod
    def parse(cls, text: str, variables: Sequence[str]) -> "Formula":
        """Parse a formula.

        Operators are those of C++ and `^` (or `**`) for powers; `1.3e-3^2` is (1.3e-3)². Functions may carry
        `TMath::`.

        Args:
            text: the formula.
            variables: names that it may use.

        Raises:
            InputError: syntax, an unknown name, or too deep nesting.
        """
        parser = _Parser(_tokens(text), tuple(variables))
        result = parser.parse()
        steps = tuple(parser.steps[: result + 1])
        used = frozenset(step.operation for step in steps if not step.arguments and step.operation in variables)
        return cls(_BLANKS.sub("", text), used, steps, _last_uses(steps))

    def __call__(self, columns: Mapping[str, Floats], size: int) -> Floats:
        """Evaluate.

        Args:
            columns: `(size,)` values of at least the variables that the formula uses.
            size: number of values.

        Returns:
            `(size,)` float64; NaN or infinite where the formula is.
        """
        values: list[Any] = []
        with np.errstate(all="ignore"):
            for step, unused in zip(self.steps, self.last_uses, strict=True):
                values.append(_evaluate(step, values, columns))
                for i in unused:
                    values[i] = None
        return np.ascontiguousarray(np.broadcast_to(np.asarray(_number(values[-1]), np.float64), (size,)))


def _evaluate(step: Step, values: list[Any], columns: Mapping[str, Floats]) -> Any:
    if step.arguments:
        _, function = _OPERATIONS.get(step.operation) or _FUNCTIONS[step.operation]
        return function(*(values[i] for i in step.arguments))
    return step.constant if step.operation == "constant" else columns[step.operation]


def _last_uses(steps: Sequence[Step]) -> tuple[tuple[int, ...], ...]:
    last = {i: number for number, step in enumerate(steps) for i in step.arguments}
    unused: list[list[int]] = [[] for _ in steps]
    for i, number in last.items():
        unused[number].append(i)
    return tuple(tuple(results) for results in unused)


def _tokens(text: str) -> list[tuple[str, str]]:
    """Kind and text of every token."""
    tokens, position = [], 0
    text = _BLANKS.sub(" ", text)
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


class _Parser:
    """Recursive descent; equal steps are made once."""

    def __init__(self, tokens: list[tuple[str, str]], variables: tuple[str, ...]) -> None:
        self.steps: list[Step] = []
        self._numbers: dict[Step, int] = {}
        self._tokens = tokens
        self._position = 0
        self._depth = 0
        self._variables = variables

    def parse(self) -> int:
        """Parse everything; returns the number of the step with the result."""
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
        if self._depth > _NESTING_LIMIT:
            raise InputError(f"the formula is nested more than {_NESTING_LIMIT} deep; simplify it")
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
        if name not in _FUNCTIONS:
            raise InputError(f"unknown function {text} in the formula; known: {', '.join(_FUNCTIONS)}")
        return self._step(Step(name, self._arguments(text, _FUNCTIONS[name][0])))

    def _arguments(self, function: str, arity: int) -> tuple[int, ...]:
        self._expect("(")
        arguments = [self._ternary()]
        while self._take(","):
            arguments.append(self._ternary())
        self._expect(")")
        if len(arguments) != arity:
            raise InputError(f"{function} in the formula has {len(arguments)} arguments, wants {arity}")
        return tuple(arguments)
