"""Expressions of Tcl; values as Tcl 8.6 gives them."""

import pytest

from resim.common.limits import TCL_DEPTH
from resim.common.tcl.expression import evaluate
from resim.common.tcl.values import TclError

VARIABLES = {"a": "3", "b": "0.5", "w": "word"}


def value(text):
    return evaluate(text, lambda part: VARIABLES[part.text])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1 + 2 * 3 ** 2", 19),
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", 4),
        ("(1 + 2) * 3 % 4", 1),
        ("$a / 2 + $b", 1.5),
        ("$a > 2 && $b < 1 || 0", 1),
        ("1 ? 2 : 3 ? 4 : 5", 2),
        ('$w eq "word"', 1),
        ("$w ne {word}", 0),
        ("!($a == 3)", 0),
        ("~5", -6),
        ("max(1, $a, 2) - hypot(3, 4)", -2.0),
        ("0 && [stop]", 0),
    ],
)
def test_known_values(text, wanted):
    assert value(text) == wanted


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 +", "expression"),
        ("(1", "expression"),
        ("1 2", "syntax error"),
        ("nofunction(1)", "nofunction"),
        ("hypot(3)", "argument"),
        ("1 / 0", "divide by zero"),
        ("(" * (TCL_DEPTH + 1) + "1" + ")" * (TCL_DEPTH + 1), "nested|deep"),
    ],
)
def test_what_is_no_expression(text, message):
    with pytest.raises(TclError, match=message):
        value(text)
