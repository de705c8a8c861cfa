"""Claims against figures whose verdict is known."""

import pytest

from jetssl.config.study import ClaimCard
from jetssl.evaluation.compare import Column, RunTable
from jetssl.evaluation.results import Result
from jetssl.study.claims import decide
from resim.common.errors import InputError

REPLICAS = (-0.01, 0.01)


def result(value, error=0.01, n_labels=100, **changes):
    """A record whose replicas spread by its error."""
    settings = {"task": "a_vs_b", "encoder": "e", "baseline": None, "method": "m", "view": "nominal", "n_draws": 3}
    settings |= {"n_labels": n_labels, "all_labels": False, "metric": "auc", "n_test": 50, "n_hard_scatters": 40}
    replicas = None if value is None else tuple(value + error / 0.01 * shift for shift in REPLICAS)
    settings |= {"value": value, "error": error, "seed": 1, "command": "jetssl", "replicas": replicas}
    return Result(**settings | changes)


def table(**rows):
    cells = {name: {Column.of(one): one for one in of_row} for name, of_row in rows.items()}
    return {"q": RunTable(tuple(next(iter(cells.values()))), cells, {}, next(iter(cells)))}


@pytest.mark.parametrize(
    ("value", "expected", "margin", "verdict"),
    [
        (0.53, "larger", 0, "holds"),
        (0.51, "larger", 0, "not resolved"),
        (0.47, "larger", 0, "does not hold"),
        (0.47, "smaller", 0, "holds"),
        (0.49, "larger", 0.04, "holds"),
        (0.43, "larger", 0.04, "does not hold"),
        (None, "larger", 0, "not resolved"),
    ],
)
def test_two_standard_deviations_decide(value, expected, margin, verdict):
    claim = ClaimCard(says="it is", question="q", row="a", than=0.5, expected=expected, margin=margin)
    assert decide(claim, table(a=[result(value)])).verdict == verdict


def test_rows_are_compared_in_pairs():
    """Replicas that move together have no error of their difference but rounding."""
    claim = ClaimCard(says="a is better", question="q", row="a", against="b")
    found = decide(claim, table(a=[result(0.52)], b=[result(0.51)]))
    assert found.difference == pytest.approx(0.01)
    assert found.error < 1e-9
    assert (found.value, found.than) == (0.52, 0.51)


def test_the_null_value_of_the_figure_itself():
    claim = ClaimCard(says="views differ", question="q", row="a", than="null")
    assert decide(claim, table(a=[result(0.05, null=0.02)])).verdict == "holds"
    assert decide(claim, table(a=[result(0.05)])).verdict == "not resolved"


def test_a_view_may_be_a_pattern():
    """Files of one study have Herwig's view, others Vincia's."""
    claim = ClaimCard(says="it moves", question="q", row="a", other_view="[hv]*", than=0.5)
    moved = [result(0.6, other_view="vincia"), result(0.5, other_view="seed")]
    assert decide(claim, table(a=moved)).value == 0.6
    with pytest.raises(InputError, match="has 2 figures"):
        decide(claim, table(a=[*moved, result(0.6, other_view="herwig")]))


def test_labels_choose_the_figure():
    figures = [result(0.6, n_labels=100), result(0.4, n_labels=1000)]
    claim = ClaimCard(says="it is", question="q", row="a", labels=1000, than=0.5)
    assert decide(claim, table(a=figures)).verdict == "does not hold"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row": "c"}, "'it is': q has no row 'c'; rows: a"),
        ({}, "has 2 figures 'auc', want one: say labels.*AUC, 100 labels; AUC, 1000 labels"),
        ({"metric": "accuracy"}, "has 0 figures 'accuracy'"),
        ({"labels": 100, "against": "a", "row": "a", "view": "other"}, "has 0 figures"),
    ],
)
def test_a_figure_that_is_not_there_is_one_line(changes, message):
    figures = [result(0.6, n_labels=100), result(0.4, n_labels=1000)]
    claim = ClaimCard(**{"says": "it is", "question": "q", "row": "a"} | changes)
    with pytest.raises(InputError, match=message):
        decide(claim, table(a=figures))
