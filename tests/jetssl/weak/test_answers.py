import pytest

from jetssl.evaluation.results import Result
from jetssl.weak.answers import answers


def result(run, metric, value, error, **changes):
    plain = {
        "task": "hbb_vs_qcd", "encoder": "transformer", "baseline": None, "method": "finetune_full", "view": "data",
        "train_view": "nominal", "n_labels": 4000, "all_labels": True, "n_draws": 3, "n_test": 100,
        "n_hard_scatters": 90, "seed": 1, "command": "", "run": run, "metric": metric, "value": value, "error": error,
    }  # fmt: skip
    return Result(**plain | changes)


ADAPTATION = [
    result("simulation_only", "auc", 0.90, 0.01),
    result("oracle", "auc", 0.94, 0.01),
    result("oracle", "auc_difference", 0.04, 0.01, reference="simulation_only"),
    result("vicreg", "auc", 0.93, 0.01),
]


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [(0.03, "a gain of 3.0 standard"), (-0.03, "a loss of 3.0 standard"), (0.01, "no significant difference, +1.0")],
)
def test_does_it_help_across_the_shift(gain, verdict):
    found = [
        result("vicreg", "auc_difference", gain, 0.01, reference="simulation_only"),
        result("vicreg", "gap_closed", gain / 0.04, 0.3),
    ]
    lines = answers([*ADAPTATION, *found])
    assert "a gap of 0.040 ± 0.010 (a gain of 4.0 standard deviations)" in lines[0]
    assert verdict in lines[1]
    assert f"share of the gap closed {gain / 0.04:.3f} ± 0.300" in lines[1]


@pytest.mark.parametrize(
    ("gains", "end"),
    [
        ((0.05, 0.01, 0.00), ": a significant help at 50; none from 1000 labels on"),
        ((0.05, 0.03, 0.03), ": a significant help at 50, 1000, all 4000"),
        ((0.01, 0.03, 0.03), ": a significant help at 1000, all 4000"),
        ((0.01, 0.00, -0.05), ": no help at any number; a loss at all 4000"),
        ((0.05, 0.03, 0.00), ": a significant help at 50, 1000; none from all 4000 labels on"),
    ],
)
def test_from_how_many_labels_on_is_it_no_help(gains, end):
    sizes = ((50, False), (1000, False), (4000, True))
    found = [
        result(
            "vicreg",
            "auc_difference",
            gain,
            0.01,
            view="nominal",
            n_labels=n,
            all_labels=every,
            reference="supervised",
        )
        for gain, (n, every) in zip(gains, sizes, strict=True)
    ]
    (line,) = answers(found)
    assert line.endswith(end + ".")


def test_which_method_is_best_at_which_noise():
    noise = {"noise": "symmetric 0.2", "method": "wsl", "view": "nominal"}
    found = [result("clean", m, 0.9, 0.01, method="wsl_plain") for m in ("auc", "balanced_accuracy")]
    for metric, values in (("auc", (0.85, 0.84)), ("balanced_accuracy", (0.7, 0.8))):
        for run, value in zip(("plain", "forward"), values, strict=True):
            found.append(result(run, metric, value, 0.01, **noise))
        found.append(result("forward", f"{metric}_difference", values[1] - values[0], 0.01, **noise))
    accuracy, auc = answers(found)
    assert "best of 2 is forward with 0.800 ± 0.010 (+0.100 ± 0.010, a gain of 10.0 standard" in accuracy
    assert "best of 2 is plain with 0.850 ± 0.010 (no method is better)" in auc
