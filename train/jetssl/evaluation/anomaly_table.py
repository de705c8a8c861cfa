"""Records of `jetssl anomaly` as tables, one for each anomalous class."""

from collections.abc import Sequence

from jetssl.evaluation.results import Result
from jetssl.evaluation.scoring import FEWEST_PASSING, IMPROVEMENT, SIGNAL_EFFICIENCY
from jetssl.evaluation.table import NAMES, TableBlock, plus_minus

SCORES = {
    "anomaly_norm": "norm",
    "anomaly_mahalanobis": "Mahalanobis distance",
    "anomaly_knn": "nearest neighbours",
    "anomaly_autoencoder": "autoencoder",
    "anomaly_supervised": "knows the anomalies",
}
"""By the method in the records."""
FIGURES = {"auc": "AUC", SIGNAL_EFFICIENCY: "ε_s at ε_b = 1 %", IMPROVEMENT: "max ε_s/√ε_b"}


def anomaly_tables(results: Sequence[Result]) -> list[TableBlock]:
    """A row for each score and input."""
    of_task: dict[str, list[Result]] = {}
    for result in results:
        of_task.setdefault(result.task, []).append(result)
    return [_table(found) for found in of_task.values()]


def _table(results: Sequence[Result]) -> TableBlock:
    cells: dict[tuple[str, str], dict[str, Result]] = {}
    for result in results:
        key = (SCORES[result.method], NAMES[result.baseline])
        cells.setdefault(key, {})[result.metric] = result
    rows = [
        (*key, *(plus_minus(found[metric]) if metric in found else "too few" for metric in FIGURES))
        for key, found in cells.items()
    ]
    first = results[0]
    learned = min(result.n_labels for result in results)
    caption = (
        f"{first.n_test} test jets ({first.n_hard_scatters} hard scatters); scores learned from {learned} background"
        f" jets, anomalies were tested only (but for the last score). max ε_s/√ε_b over cuts that {FEWEST_PASSING}"
        " background jets pass: 1 without a cut. ± from test hard scatters, autoencoders and random encoders."
    )
    title = f"Anomalies: {first.classes[0]} among {first.classes[1]}"
    return TableBlock(title, ("score", "input", *FIGURES.values()), rows, caption)
