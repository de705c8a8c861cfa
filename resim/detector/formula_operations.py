"""Operators and functions of formulas in Delphes cards, as vectorized NumPy.

A value is a number, a float64 array `(n,)`, or a truth value, a bool array `(n,)`; scalars of both kinds are allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a formula: `operation` of the results of earlier steps, or a constant, or a variable."""

    operation: str
    arguments: tuple[int, ...] = ()
    constant: float = 0.0


def as_number(value: Any) -> Any:
    """Truth values as 0.0 and 1.0, numbers as they are."""
    return value.astype(np.float64) if getattr(value, "dtype", None) == np.bool_ else value


def _arithmetic(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of numbers, for arguments that may be truth values."""
    return lambda *arguments: function(*(as_number(argument) for argument in arguments))


def _truth(value: Any) -> Any:
    """Numbers as truth values, as C++ converts them; truth values as they are."""
    return value if getattr(value, "dtype", None) == np.bool_ else np.not_equal(value, 0)


OPERATIONS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
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
    "?:": (3, lambda condition, yes, no: np.where(_truth(condition), as_number(yes), as_number(no))),
}
FUNCTIONS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
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
"""Name → number of arguments and the function of numbers."""


def apply(step: Step, arguments: list[Any]) -> Any:
    """The result of an operation for the values of its arguments."""
    _, function = OPERATIONS.get(step.operation) or FUNCTIONS[step.operation]
    return function(*arguments)
