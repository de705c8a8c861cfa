"""Commands of Tcl that make a list, or look into one (Tcl manual, pages list, lindex, llength, lreplace, concat)."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from resim.common.tcl.arithmetic import number_of
from resim.common.tcl.values import TclError, TclList, Value, items_of, text_of

Arguments: TypeAlias = Sequence[Value]
"""The words of a command after its name."""


def want(arguments: Arguments, least: int, most: int | None, usage: str) -> Arguments:
    """The arguments, if there are enough and not too many.

    Raises:
        TclError: there are not; it shows the usage.
    """
    if len(arguments) < least or (most is not None and len(arguments) > most):
        raise TclError(f'wrong # args: should be "{usage}"')
    return arguments


def _llength(arguments: Arguments) -> Value:
    return str(len(items_of(want(arguments, 1, 1, "llength list")[0])))


def _lindex(arguments: Arguments) -> Value:
    value = want(arguments, 1, None, "lindex list ?index ...?")[0]
    for index in arguments[1:]:
        elements = items_of(value)
        at = _index(index, len(elements))
        value = elements[at] if 0 <= at < len(elements) else ""
    return value


def _lreplace(arguments: Arguments) -> Value:
    elements = list(items_of(want(arguments, 3, None, "lreplace list first last ?element ...?")[0]))
    first, last = (_index(index, len(elements)) for index in arguments[1:3])
    first = min(max(first, 0), len(elements))
    elements[first : max(first, last + 1)] = arguments[3:]
    return TclList(elements)


def _concat(arguments: Arguments) -> Value:
    if any(isinstance(argument, TclList) for argument in arguments):
        return TclList(element for argument in arguments for element in items_of(argument))
    texts = [text_of(argument).strip() for argument in arguments]
    return " ".join(text for text in texts if text)


def _index(value: Value, length: int) -> int:
    """An index of a list: a number, `end`, or either with an integer added or subtracted."""
    text = text_of(value).strip()
    base, sign, offset = text, "", "0"
    for operator in "+-":
        head, found, tail = text.partition(operator)
        if found and head:
            base, sign, offset = head, operator, tail
    first = length - 1 if base == "end" else number_of(base)
    shift = number_of(offset)
    if not isinstance(first, int) or not isinstance(shift, int):
        raise TclError(f'bad index "{text[:40]}": must be integer?[+-]integer? or end?[+-]integer?')
    return first - shift if sign == "-" else first + shift


LIST_COMMANDS: Final[dict[str, Callable[[Arguments], Value]]] = {
    "concat": _concat,
    "lindex": _lindex,
    "list": TclList,
    "llength": _llength,
    "lreplace": _lreplace,
}
