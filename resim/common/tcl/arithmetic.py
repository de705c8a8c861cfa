"""Numbers, operators and functions of Tcl expressions (Tcl manual, pages expr and mathfunc)."""

import math
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from resim.common.limits import TCL_BITS
from resim.common.tcl.values import TclError

Number: TypeAlias = int | float
Operand: TypeAlias = int | float | str

_INTEGER: Final = re.compile(r"\s*([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))\s*\Z")
_FLOAT: Final = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*\Z")


def number_of(value: Operand) -> Number | None:
    """A value as a number, None if it is none; integers of a leading 0 are octal, as in Tcl 8."""
    if not isinstance(value, str):
        return value
    if found := _INTEGER.match(value):
        sign, hexadecimal, binary, octal, decimal = found.groups()
        digits, base = next((d, b) for d, b in ((hexadecimal, 16), (binary, 2), (octal, 8), (decimal, 10)) if d)
        if len(digits) > TCL_BITS:
            raise TclError(f"an integer has {len(digits)} digits; the limit is {TCL_BITS} bits")
        return _bounded(int(digits, base) * (-1 if sign == "-" else 1))
    return float(value) if _FLOAT.match(value) and not re.match(r"\s*[+-]?0[0-9]+\s*\Z", value) else None


def text_of_number(value: Operand) -> str:
    """A value as Tcl writes it: the shortest digits that give the same float.

    >>> [text_of_number(x) for x in (3, 3.0, 1e-5, 1e16, 1e17)]
    ['3', '3.0', '1e-5', '10000000000000000.0', '1e+17']
    """
    if not isinstance(value, float):
        return str(value)
    if 1e16 <= abs(value) < 1e17:
        return f"{int(value)}.0"
    return re.sub(r"e([+-])0+", r"e\1", repr(value))


def truth(value: Operand) -> bool:
    """Whether a value counts as true; wants a number or a word like `yes`."""
    number = number_of(value)
    if number is not None:
        return number != 0
    word = str(value).strip().lower()
    for words, answer in ((("true", "yes", "on"), True), (("false", "no", "off"), False)):
        if word in words:
            return answer
    raise TclError(f'expected boolean value but got "{word[:40]}"')


def binary(operator: str, left: Operand, right: Operand) -> Operand:
    """Value of an operator between two operands; words are compared as text where one is no number."""
    if operator in {"in", "ni"}:
        raise TclError(f"operator {operator} is not supported; compare with ==")
    if operator in {"eq", "ne"}:
        return int((text_of_number(left) == text_of_number(right)) == (operator == "eq"))
    a, b = number_of(left), number_of(right)
    if operator in _COMPARE:
        if a is None or b is None:
            return int(_COMPARE[operator](text_of_number(left), text_of_number(right)))
        return int(_COMPARE[operator](a, b))
    x, y = wanted_number(left), wanted_number(right)
    if operator in _OF_INTEGERS:
        return _bounded(_OF_INTEGERS[operator](wanted_integer(x), wanted_integer(y)))
    return finite(_ARITHMETIC[operator], [x, y])


def wanted_number(value: Operand) -> Number:
    """A value that must be a number."""
    number = number_of(value)
    if number is None:
        raise TclError(f'can\'t use non-numeric string "{str(value)[:40]}" as operand')
    return number


def wanted_integer(value: Number) -> int:
    """A number that must be an integer."""
    if isinstance(value, float):
        raise TclError(f'can\'t use floating-point value "{value:g}" as operand of an integer operator')
    return value


def _bounded(value: int) -> int:
    if value.bit_length() > TCL_BITS:
        raise TclError(f"an integer has {value.bit_length()} bits; the limit is {TCL_BITS}")
    return value


def finite(function: Callable[..., Number], arguments: list[Number]) -> Number:
    """Value of a function, checked."""
    try:
        value = function(*arguments)
    except ZeroDivisionError as error:
        raise TclError("divide by zero") from error
    except (ValueError, OverflowError) as error:
        raise TclError("domain error: argument not in valid range, or a value that is not finite") from error
    if isinstance(value, int):
        return _bounded(value)
    if not math.isfinite(value):
        raise TclError("domain error: a value is not finite")
    return value


def _divide(a: Number, b: Number) -> Number:
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


def _modulo(a: int, b: int) -> int:
    if b == 0:
        raise TclError("divide by zero")
    return a % b


def _shift_left(a: int, b: int) -> int:
    if b < 0:
        raise TclError("negative shift argument")
    return a << min(b, TCL_BITS + 1)


def _shift_right(a: int, b: int) -> int:
    if b < 0:
        raise TclError("negative shift argument")
    return a >> min(b, 2 * TCL_BITS)


def _power(a: Number, b: Number) -> Number:
    if isinstance(a, float) or isinstance(b, float):
        return math.pow(a, b)
    if b < 0:
        if a == 0:
            raise TclError("exponentiation of zero by negative power")
        return {1: 1, -1: 1 - 2 * (b % 2)}.get(a, 0)
    if abs(a) > 1 and b > TCL_BITS:
        raise TclError(f"an integer has more than {TCL_BITS} bits")
    return int(a**b) if abs(a) > 1 else (1 if b == 0 or (a == -1 and b % 2 == 0) else a)


def _round(a: Number) -> int:
    """Half a unit is rounded away from zero."""
    if isinstance(a, int):
        return a
    whole = math.trunc(a)
    return whole + (abs(a - whole) >= 0.5) * (1 if a > 0 else -1)


_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}
_ARITHMETIC: Final[dict[str, Callable[..., Number]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "**": _power,
}
_OF_INTEGERS: Final[dict[str, Callable[[int, int], int]]] = {
    "%": _modulo,
    "<<": _shift_left,
    ">>": _shift_right,
    "&": lambda a, b: a & b,
    "^": lambda a, b: a ^ b,
    "|": lambda a, b: a | b,
}
_OF_ONE: Final = ("acos", "asin", "atan", "cos", "cosh", "exp", "log", "log10", "sin", "sinh", "sqrt", "tan", "tanh")
FUNCTIONS: Final[dict[str, tuple[Callable[..., Number], tuple[int, ...] | range]]] = {
    **{name: (getattr(math, name), (1,)) for name in _OF_ONE},
    **{name: (getattr(math, name), (2,)) for name in ("atan2", "fmod", "hypot", "pow")},
    "abs": (abs, (1,)),
    "ceil": (lambda a: float(math.ceil(a)), (1,)),
    "double": (float, (1,)),
    "entier": (math.trunc, (1,)),
    "floor": (lambda a: float(math.floor(a)), (1,)),
    "int": (math.trunc, (1,)),
    "max": (max, range(1, 1000)),
    "min": (min, range(1, 1000)),
    "round": (_round, (1,)),
}
"""Functions of expressions, and how many arguments they take."""
