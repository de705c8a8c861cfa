"""Operators of formulas on arrays, with C++'s conversions between numbers and truth values."""

import numpy as np
import pytest

from resim.detector.formula_operations import FUNCTIONS, OPERATIONS, Step, apply

X, Y = np.array([-7.0, 0.0, 2.0]), np.array([2.0, 3.0, -0.5])
TRUE = np.array([True, False, True])


@pytest.mark.parametrize(
    ("operation", "arguments", "wanted"),
    [
        ("%", (X, 3.0), [-1, 0, 2]),  # the sign of the dividend, as in C++
        ("+", (TRUE, TRUE), [2, 0, 2]),
        ("-", (TRUE, 1.0), [0, -1, 0]),
        ("negative", (TRUE,), [-1, 0, -1]),
        ("*", (TRUE, X), [-7, 0, 2]),
        ("^", (X, 2.0), [49, 0, 4]),
        ("&&", (X, Y), [True, False, True]),
        ("||", (X, TRUE), [True, False, True]),
        ("!", (X,), [False, True, False]),
        ("?:", (X, Y, TRUE), [2, 0, -0.5]),
        ("min", (X, Y), [-7, 0, -0.5]),
        ("abs", (TRUE,), [1, 0, 1]),
    ],
)
def test_known_values(operation, arguments, wanted):
    assert apply(Step(operation), list(arguments)).tolist() == wanted


def test_two_truth_values_multiply_to_one():
    assert apply(Step("*"), [TRUE, ~TRUE]).dtype == np.bool_


def test_every_operation_takes_as_many_arguments_as_it_says():
    for number, function in (OPERATIONS | FUNCTIONS).values():
        assert np.shape(function(*[np.array([0.5])] * number)) == (1,)
