"""Records of `jetssl anomaly` as tables, one for each anomalous class."""

from collections.abc import Sequence

from jetssl.evaluation.anomaly import MATCHED
from jetssl.evaluation.results import Result
from jetssl.evaluation.scoring import FEWEST_PASSING, IMPROVEMENT, SIGNAL_EFFICIENCY
from jetssl.evaluation.table import NAMES, TableBlock, plus_minus

SCORES = {
    "anomaly_norm": "norm",
    "anomaly_mahalanobis": "Mahalanobis distance",
    "anomaly_knn": "nearest neighbours",
    "anomaly_autoencoder": "autoencoder",
    "anomaly_flow": "normalizing flow",
    "anomaly_supervised": "knows the anomalies",
}
"""By the method in the records."""
SCORES |= {f"{method}{MATCHED}": f"{name}, kinematics matched" for method, name in SCORES.items()}
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
        (
            *key,
            str(found["auc"].n_labels),
            *(plus_minus(found[metric]) if metric in found else "too few" for metric in FIGURES),
        )
        for key, found in cells.items()
    ]
    first = results[0]
    matched = first.method.endswith(MATCHED)
    caption = (
        f"{first.n_test} test jets ({first.n_hard_scatters} hard scatters). Jets learned from: background alone, but"
        f" for the score that knows the anomalies. max ε_s/√ε_b over cuts that {FEWEST_PASSING} background jets pass:"
        f" 1 without a cut.{' Anomalous jets have weights, so that pT and |η| are those of background.' * matched}"
        " ± from test hard scatters, autoencoders, flows and random encoders."
    )
    title = f"Anomalies: {first.classes[0]} among {first.classes[1]}"
    return TableBlock(title, ("score", "input", "learned from", *FIGURES.values()), rows, caption)
