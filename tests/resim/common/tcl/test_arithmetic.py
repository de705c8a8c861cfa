"""Numbers of Tcl expressions; values as Tcl 8.6 gives them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.common.limits import TCL_BITS
from resim.common.tcl.arithmetic import FUNCTIONS, binary, finite, number_of, text_of_number, truth
from resim.common.tcl.values import TclError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        (" -7 ", -7),
        ("0x1F", 31),
        ("0b101", 5),
        ("017", 15),
        ("0o17", 15),
        ("1.", 1.0),
        (".5e1", 5.0),
        ("089", None),
        ("1e", None),
        ("a", None),
        ("", None),
    ],
)
def test_numbers_of_text(text, value):
    assert number_of(text) == value
    assert type(number_of(text)) is type(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_from_its_text(value):
    assert number_of(text_of_number(value)) == value


@pytest.mark.parametrize(
    ("operator", "left", "right", "value"),
    [
        ("/", 7, 2, 3),
        ("/", -7, 2, -4),
        ("/", 7, 2.0, 3.5),
        ("%", -7, 3, 2),
        ("**", 2, 10, 1024),
        ("**", 2, -1, 0),
        ("**", -1, -3, -1),
        ("**", 2.0, -1, 0.5),
        ("<<", 1, 8, 256),
        (">>", -8, 1, -4),
        ("==", "1.0", "1", 1),
        ("eq", "1.0", "1", 0),
        ("<", "a", "b", 1),
        ("<", "10", "9", 0),
    ],
)
def test_operators(operator, left, right, value):
    assert binary(operator, left, right) == value


@pytest.mark.parametrize(
    ("operator", "left", "right", "message"),
    [
        ("/", 1, 0, "divide by zero"),
        ("%", 1, 0, "divide by zero"),
        ("**", 0, -1, "exponentiation of zero"),
        ("<<", 1, -1, "negative shift"),
        ("<<", 1, 10**6, "the limit is"),
        ("**", 2, 10**9, f"more than {TCL_BITS} bits"),
        ("&", 1.5, 1, "floating-point value"),
        ("+", "a", 1, "non-numeric string"),
        ("*", 1e300, 1e300, "not finite"),
        ("in", "a", "b", "not supported"),
    ],
)
def test_what_has_no_value(operator, left, right, message):
    with pytest.raises(TclError, match=message):
        binary(operator, left, right)


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("OFF", False), ("0.0", False), ("2", True)])
def test_truth(word, value):
    assert truth(word) is value


def test_no_truth():
    with pytest.raises(TclError, match='expected boolean value but got "maybe"'):
        truth("maybe")


@pytest.mark.parametrize(("value", "rounded"), [(0.5, 1), (-0.5, -1), (2.5, 3), (2.4, 2), (7, 7)])
def test_halves_are_rounded_away_from_zero(value, rounded):
    assert FUNCTIONS["round"][0](value) == rounded


def test_functions_are_checked():
    assert finite(FUNCTIONS["hypot"][0], [3, 4]) == 5
    with pytest.raises(TclError, match="domain error"):
        finite(math.sqrt, [-1])
