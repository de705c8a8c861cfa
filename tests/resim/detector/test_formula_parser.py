"""Formulas as lists of operations."""

import pytest

from resim.common.errors import InputError
from resim.detector.formula_parser import Parser, tokens_of


def operations(text):
    parser = Parser(tokens_of(text), ("pt", "eta"))
    parser.parse()
    return [(step.operation, step.arguments) for step in parser.steps]


def test_arguments_come_before_the_operation_and_equal_ones_stand_once():
    assert operations("pt * eta + pt * eta") == [("pt", ()), ("eta", ()), ("*", (0, 1)), ("+", (2, 2))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a**b", [("name", "a"), ("operator", "**"), ("name", "b")]),
        ("1.5e-3<=TMath::Abs(x)", [("number", "1.5e-3"), ("operator", "<="), ("name", "TMath::Abs"),
                                   ("operator", "("), ("name", "x"), ("operator", ")")]),
        ("1 \\\n + 2", [("number", "1"), ("operator", "+"), ("number", "2")]),
    ],
)  # fmt: skip
def test_tokens(text, wanted):
    assert tokens_of(text) == wanted


@pytest.mark.parametrize(
    ("text", "last"),
    [("-pt^2", "negative"), ("!pt == 1", "=="), ("pt ? 1 : eta ? 2 : 3", "?:"), ("pt - eta - 1", "-")],
)
def test_what_binds_weakest_comes_last(text, last):
    assert operations(text)[-1][0] == last


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pt @ 2", "character '@' .* is not understood"),
        ("mass", "unknown variable mass in the formula; known: pt, eta, pi"),
        ("pow(pt)", "pow in the formula has 1 arguments, wants 2"),
        ("(" * 60 + "pt" + ")" * 60, "nested more than 50 deep"),
        ("* pt", "stands where a value is wanted"),
    ],
)
def test_what_is_no_formula(text, message):
    with pytest.raises(InputError, match=message):
        operations(text)
