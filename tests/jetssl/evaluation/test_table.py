"""Results as text."""

import pytest

from jetssl.evaluation.metrics import WORKING_POINTS
from jetssl.evaluation.results import ErrorParts, Result
from jetssl.evaluation.table import header, plus_minus, print_table, rejection_cell, table_rows


def result(metric, value, **changes):
    fields = {
        "task": "t", "encoder": "part", "baseline": None, "method": "linear_probe", "view": "nominal", "n_labels": 100,
        "all_labels": False, "n_draws": 5, "metric": metric, "value": value, "error": 0.0123, "low": 1.0, "high": 3.0,
        "n_test": 50, "n_hard_scatters": 50, "seed": 1, "command": "c",
    }  # fmt: skip
    return Result.model_validate(fields | changes)


def probe(**changes):
    return [
        result("auc", 0.9, **changes),
        *(result(f"rejection_at_{point}", 2.0, **changes) for point in WORKING_POINTS),
    ]


def test_a_row_of_each_input_and_number_of_labels():
    other = {"baseline": "random", "encoder": None}
    parts = {"error_parts": ErrorParts(jets=0.01, draws=0.007)}
    results = probe(**parts) + probe(**other) + probe(n_labels=500, all_labels=True)
    results.append(result("auc_minus_random", 0.05))
    rows = table_rows(results)
    assert [row[:5] for row in rows] == [
        ("100", "pre-trained", "0.900 ± 0.012", "jets 0.010, draws 0.007", ""),
        ("100", "random encoder", "0.900 ± 0.012", "", "+0.050 ± 0.012"),
        ("all (500)", "pre-trained", "0.900 ± 0.012", "", ""),
    ]
    assert all(len(row) == len(header(results)) for row in rows)


@pytest.mark.parametrize(
    ("changes", "cell"),
    [
        ({}, "2.0 [1.0, 3.0]"),
        ({"high": None}, "2.0 [1.0, ∞]"),
        ({"value": None, "error": None, "low": 33.93}, "> 33.9 at 95 %"),
    ],
)
def test_rejections(changes, cell):
    assert rejection_cell(result("rejection_at_0.3", 2.0).model_copy(update=changes)) == cell


def test_signs_of_differences():
    assert plus_minus(result("auc_minus_random", -0.05), sign="+") == "-0.050 ± 0.012"


def test_the_table_is_printed_whole(capsys):
    print_table(probe())
    assert "t: linear probe, 50 test jets of view nominal" in capsys.readouterr().out


def test_several_classes():
    classes = ("tau1p+tau3p", "qcd_q", "qcd_g")
    values = dict(zip(classes, (0.6, 0.7, 0.8), strict=True))
    results = [
        result("auc", 0.9, classes=classes),
        result("accuracy", 0.7, classes=classes),
        *(result("auc", 0.1, classes=classes, jet_class=name) for name in classes),
        *(result("accuracy", value, classes=classes, jet_class=name) for name, value in values.items()),
    ]
    assert header(results)[5:] == ("accuracy", "of tau1p+tau3p", "of qcd_q", "of qcd_g")
    (row,) = table_rows(results)
    assert [cell[:5] for cell in row[2:]] == ["0.900", "", "", "0.700", "0.600", "0.700", "0.800"]


def test_the_table_says_layer_and_weights(capsys):
    print_table(probe())
    assert "weights of their events" not in capsys.readouterr().out
    print_table(probe(weighted=True, layer="projector.1"))
    shown = " ".join(capsys.readouterr().out.split())
    assert "linear probe on projector.1, 50 test jets" in shown
    assert "test jets count with the weights of their events" in shown
