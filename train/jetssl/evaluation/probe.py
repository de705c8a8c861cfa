"""Linear probe: logistic regression on frozen jet vectors, beside a fresh encoder and inputs that nobody trained.

All inputs share labelled rows, test rows and protocol: columns standardized on the labelled jets, L2-regularized
logistic regression, the strength of the penalty chosen by the loss of validation rows. Labelled rows are of the
training split, tested rows of the test split.

Letters: R rows, D columns, T test jets, K draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler, normalize

from jetssl.common.roc import Scores, auc
from jetssl.common.seeds import Stream, generator, torch_seed
from jetssl.data.table import PairTable
from jetssl.evaluation.baselines import INPUTS
from jetssl.evaluation.classifier import linear_probe, logits_of
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.results import Baseline, Origin, Result, RocCurve
from jetssl.evaluation.summary import Comparison, roc_curves, summarize
from jetssl.evaluation.task import Task, draw_labels, draw_validation
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import LoadedEncoder
from jetssl.models.normalization import Normalized
from resim.common.arrays import Floats32, Integers

N_DRAWS = 10
"""Draws of labels; a fresh encoder for each."""
NEIGHBOURS = (3, 10, 30, 100)
"""Numbers of neighbours; the validation rows choose."""
ProbeMethod = Literal["linear_probe", "knn"]
DEFAULT_BASELINES: tuple[Baseline, ...] = ("random", "features")

Inputs = Callable[[int], Floats32]
"""Draw → float32 `(R, D)`; only the rows of the task are filled."""


@dataclass(frozen=True, slots=True)
class Competitor:
    """An input of the probe."""

    baseline: Baseline | None
    encoder: str | None
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """Everything that a probe found."""

    results: list[Result]
    curves: list[RocCurve]


def probe(  # noqa: PLR0913
    loaded: LoadedEncoder,
    table: PairTable,
    task: Task,
    label_counts: Sequence[int | None],
    origin: Origin,
    *,
    baselines: Sequence[Baseline] = DEFAULT_BASELINES,
    method: ProbeMethod = "linear_probe",
) -> ProbeOutcome:
    """Compare the jet vectors with other inputs at several numbers of labels.

    Args:
        loaded: the pre-trained encoder.
        table: the loaded pair files.
        task: rows and classes.
        label_counts: numbers of labels; None for all.
        origin: seed of the draws, the fresh encoders and the bootstrap; and the command line.
        baselines: the other inputs.
        method: the classifier.

    Raises:
        InputError: fewer labelled rows than asked for.
    """
    draws = [[_labelled(task, count, origin.seed, draw) for draw in range(N_DRAWS)] for count in label_counts]
    competitors = _competitors(loaded, table, task, origin.seed, baselines)
    scores = _all_scores(competitors, task, draws, origin.seed, CLASSIFIERS[method])
    results: list[Result] = []
    curves: list[RocCurve] = []
    for index, (count, labelled) in enumerate(zip(label_counts, draws, strict=True)):
        about = Comparison(
            task=task,
            view=table.rows.views[task.view],
            names=[(competitor.baseline, competitor.encoder) for competitor in competitors],
            scores=[by_count[index] for by_count in scores],
            n_labels=len(labelled[0]),
            all_labels=count is None,
            origin=origin,
            method=method,
        )
        results += summarize(about)
        curves += roc_curves(about)
    return ProbeOutcome(results, curves)


def classify(inputs: Floats32, task: Task, labelled: Integers, validation: Integers) -> Scores:
    """Logits `(T,)` of the test rows from a regression on the labelled ones.

    Args:
        inputs: `(R, D)`.
        task: classes and test rows.
        labelled: rows to learn from.
        validation: rows that choose the strength of the penalty.
    """
    signal = task.is_signal
    head = linear_probe(inputs[labelled], signal[labelled], inputs[validation], signal[validation])
    return logits_of(head, inputs[task.test])


def nearest_neighbours(inputs: Floats32, task: Task, labelled: Integers, validation: Integers) -> Scores:
    """Share of signal among the nearest labelled jets of each test row, `(T,)`, by the angle between inputs.

    Args:
        inputs: `(R, D)`.
        task: classes and test rows.
        labelled: rows to compare with.
        validation: rows that choose the number of neighbours, by the AUC: a share has no finite loss.
    """
    scaler = StandardScaler().fit(inputs[labelled])
    scaled = normalize(scaler.transform(inputs))
    signal, held_out = task.is_signal, task.is_signal[validation]
    of_size = [
        KNeighborsClassifier(size).fit(scaled[labelled], signal[labelled])
        for size in NEIGHBOURS
        if size <= len(labelled)
    ]

    def quality(model: KNeighborsClassifier) -> float:
        shares = model.predict_proba(scaled[validation])[:, 1]
        return auc(shares[held_out], shares[~held_out])

    return np.asarray(max(of_size, key=quality).predict_proba(scaled[task.test])[:, 1])


ScoreFunction = Callable[[Floats32, Task, Integers, Integers], Scores]
CLASSIFIERS: dict[ProbeMethod, ScoreFunction] = {
    "linear_probe": classify,
    "knn": nearest_neighbours,
}
"""By the name in the records."""


def _labelled(task: Task, count: int | None, seed: int, draw: int) -> Integers:
    return task.train if count is None else draw_labels(task, count, generator(seed, Stream.LABELS, count, draw))


def _competitors(
    loaded: LoadedEncoder, table: PairTable, task: Task, seed: int, baselines: Sequence[Baseline]
) -> list[Competitor]:
    rows = np.concatenate([task.train, task.validation, task.test])
    view = np.full(len(rows), task.view)
    card = loaded.card

    def spread(vectors: Floats32) -> Floats32:
        filled = np.zeros((table.rows.n_rows, vectors.shape[1]), np.float32)
        filled[rows] = vectors
        return filled

    pretrained = spread(embed(loaded.encoder, table, view, rows, card.data.feature_set))

    def fresh(draw: int) -> Floats32:
        encoder = build_encoder(card, torch_seed(seed, Stream.RANDOM_ENCODER, draw))
        if isinstance(encoder, Normalized):
            encoder.adopt(loaded.encoder)
        return spread(embed(encoder, table, view, rows, card.data.feature_set))

    def competitor(baseline: Baseline) -> Competitor:
        if baseline == "random":
            return Competitor(baseline, card.encoder.name, fresh)
        inputs = INPUTS[baseline](table, task.view)
        return Competitor(baseline, None, lambda _: inputs)

    return [Competitor(None, card.encoder.name, lambda _: pretrained), *map(competitor, baselines)]


def _all_scores(
    competitors: Sequence[Competitor],
    task: Task,
    draws: Sequence[Sequence[Integers]],
    seed: int,
    classifier: ScoreFunction,
) -> list[list[npt.NDArray[np.float64]]]:
    """Scores `(K, T)` by competitor and number of labels; the inputs of a draw are made once."""
    scores = [[np.empty((N_DRAWS, len(task.test))) for _ in draws] for _ in competitors]
    for competitor, by_count in zip(competitors, scores, strict=True):
        for draw in range(N_DRAWS):
            inputs = competitor.inputs(draw)
            for labelled, filled in zip(draws, by_count, strict=True):
                rows = labelled[draw]
                if draw > 0 and rows is labelled[0] and competitor.baseline != "random":
                    filled[draw] = filled[0]
                    continue
                validation = draw_validation(task, len(rows), seed, draw)
                filled[draw] = classifier(inputs, task, rows, validation)
    return scores
