import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.common.errors import InputError
from resim.detector.formula import Formula

VARIABLES = ("pt", "eta", "phi", "energy")
PT = np.array([0.05, 0.5, 5.0, 500.0])
ETA = np.array([0.0, 1.0, 2.0, -3.0])


def value(text: str) -> list[float]:
    return Formula.parse(text, VARIABLES)({"pt": PT, "eta": ETA}, 4).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.3e-3^2", [1.69e-6] * 4),  # ROOT 6.40 reads the whole number as the base (DELPHES_CMS, section 4)
        ("-pt^2", (-(PT**2)).tolist()),
        ("2^3^2", [512.0] * 4),
        ("2**-1", [0.5] * 4),
        ("7 % 4 - 2 - 1", [0.0] * 4),
        ("8/4/2", [1.0] * 4),
        ("(pt > 1) + (pt > 1)", [0, 0, 2, 2]),  # truth values add up as numbers
        ("(pt <= 0.5) * (eta >= 0)", [1, 1, 0, 0]),
        ("pt > 0.1 && abs(eta) <= 2 || eta < -2", [0, 1, 1, 1]),
        ("!(pt > 1) == 1", [1, 1, 0, 0]),
        ("pt > 1 ? (eta > 0 ? 1 : 2) : 3", [3, 3, 1, 2]),
        ("TMath::Max(eta, 0) + max(pt, 5) - fabs(eta)", [5, 5, 5, 497]),
        ("sqrt(4) + exp(0) + log(1) + tanh(0) + atan2(0, 1) + pow(2, 3)", [11.0] * 4),
        ("1 +\n  pt*\\\n 2", (1 + 2 * PT).tolist()),
        (".5e1 + TMath::Pi() - pi", [5.0] * 4),
    ],
)
def test_known_values(text, expected):
    assert value(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("pt +", "ends after"),
        ("pt eta", "'eta' in the formula is not expected"),
        ("(pt", "want '.'"),
        ("pt)", "not expected"),
        ("x + 1", "unknown variable x"),
        ("erf(pt)", "unknown function erf"),
        ("max(pt)", "has 1 arguments, wants 2"),
        ("pt $ 2", "'\\$'"),
        ("pt ? 1", "want ':'"),
        ("*pt", "where a value is wanted"),
        ("__import__('os').system('true')", "not understood"),
        ("(" * 300 + "1" + ")" * 300, "nested"),
        ("abs(" * 300 + "1" + ")" * 300, "nested"),
    ],
)
def test_errors_say_what_is_wrong(text, reason):
    with pytest.raises(InputError, match=reason):
        Formula.parse(text, VARIABLES)


def test_long_sums_and_chains_of_signs_do_not_recurse():
    assert value("+".join(["pt"] * 5000)) == pytest.approx((5000 * PT).tolist())
    assert value("-" * 5000 + "pt") == pytest.approx(PT.tolist())
    assert value("^".join(["1"] * 5000)) == [1.0] * 4


def test_equal_parts_are_computed_once():
    formula = Formula.parse("(abs(eta) <= 1.5) * pt + (abs(eta) <= 1.5) * pt", VARIABLES)
    assert [step.operation for step in formula.steps].count("abs") == 1
    assert formula.variables == {"pt", "eta"}


EXPRESSIONS = st.recursive(
    st.sampled_from(["pt", "eta", "2", "0.5", "1e-3"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "<", ">=", "==", "&&", "||"]), inner).map(
            lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
        ),
        inner.map(lambda part: f"-{part}"),
        inner.map(lambda part: f"abs({part})"),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS, st.floats(-10, 10), st.floats(-10, 10))
def test_agrees_with_python(text, pt, eta):
    """Python computes the same, once `&&` and `||` are spelled as products and sums of truth values."""
    formula = Formula.parse(text, VARIABLES)({"pt": np.array([pt]), "eta": np.array([eta])}, 1)

    class Number(float):
        def __and__(self, other: float) -> float:
            return Number(bool(self) and bool(other))

        def __or__(self, other: float) -> float:
            return Number(bool(self) or bool(other))

    for name in ("add", "sub", "mul", "lt", "ge", "eq", "neg", "abs", "radd"):
        plain = getattr(float, f"__{name}__")
        setattr(Number, f"__{name}__", lambda *a, plain=plain: Number(plain(*a)))
    python = text.replace("&&", "&").replace("||", "|")
    for literal in ("1e-3", "0.5", "2"):
        python = python.replace(literal, {"1e-3": "A", "0.5": "B", "2": "C"}[literal])
    names = {"pt": Number(pt), "eta": Number(eta), "A": Number(1e-3), "B": Number(0.5), "C": Number(2), "abs": abs}
    expected = float(eval(python, {"__builtins__": {}}, names))  # noqa: S307 - made by this test
    assert math.isclose(formula[0], expected, rel_tol=1e-12, abs_tol=1e-12)
