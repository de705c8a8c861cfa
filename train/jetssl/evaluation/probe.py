"""Linear probe: logistic regression on frozen jet vectors, beside a fresh encoder and inputs that nobody trained.

All inputs share labelled rows, test rows and protocol: columns standardized on the labelled jets, L2-regularized
logistic regression, the strength of the penalty chosen by the loss of validation rows. Labelled rows are of the
training split, tested rows of the test split.

Letters: R rows, D columns, T test jets, C classes, K draws.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler, normalize

from jetssl.common.roc import Scores
from jetssl.common.seeds import Stream, generator, torch_seed
from jetssl.config.evaluation import ProbeInput, ProbeMethod
from jetssl.data.table import PairTable
from jetssl.evaluation.baselines import INPUTS
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.embedding_cache import run_vectors
from jetssl.evaluation.heads import fit_linear, outputs_of
from jetssl.evaluation.layers import ENCODER, Layer, apply, fresh_layer, trained_layer
from jetssl.evaluation.metrics import OneAgainstOne
from jetssl.evaluation.results import Baseline, Origin, Result, RocCurve
from jetssl.evaluation.summary import Comparison, roc_curves, summarize
from jetssl.evaluation.task import Task, draw_labels, draw_validation
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import LoadedEncoder
from jetssl.models.normalization import Normalized
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats32, Integers
from resim.common.progress import ProgressReport

N_DRAWS = 10
"""Draws of labels; a fresh encoder for each."""
NEIGHBOURS = (3, 10, 30, 100)
"""Numbers of neighbours; the validation rows choose."""

Inputs = Callable[[int], Floats32]
"""Draw → float32 `(R, D)`; only the rows of the task are filled."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged, beside what, and on which jets."""

    run: RunFolder
    """keeps the vectors, and holds the projector"""
    loaded: LoadedEncoder
    """its pre-trained encoder"""
    table: PairTable
    """the loaded pair files"""
    task: Task
    layer: Layer = ENCODER
    """whose vectors"""
    given: Mapping[str, Floats32] = field(default_factory=dict)
    """vectors that other programs computed, float32 `(R, D')`, by the name in the records"""


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

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> Self:
        """The records and curves of comparisons, one after the other."""
        results = [record for comparison in comparisons for record in summarize(comparison)]
        return cls(results, [curve for comparison in comparisons for curve in roc_curves(comparison)])


def probe(  # noqa: PLR0913
    subject: Subject,
    label_counts: Sequence[int | None],
    origin: Origin,
    *,
    baselines: Sequence[ProbeInput] = ("random", "features"),
    method: ProbeMethod = "linear_probe",
    quiet: bool = False,
) -> ProbeOutcome:
    """Compare the jet vectors of a subject with other inputs, `baselines`, at numbers of labels (None: all of them).

    The seed of `origin` is that of the draws, the fresh encoders and the bootstrap.

    Raises:
        InputError: fewer labelled rows than asked for, or no such layer.
    """
    task, competitors = subject.task, competitors_of(subject, origin.seed, baselines)
    draws = [[_labelled(task, count, origin.seed, draw) for draw in range(N_DRAWS)] for count in label_counts]

    def classified(inputs: Floats32, labelled: Integers, draw: int) -> Scores:
        validation = draw_validation(task, len(labelled), origin.seed, draw)
        return CLASSIFIERS[method](inputs, task, labelled, validation)

    with ProgressReport("probe", len(competitors) * N_DRAWS, "draws", quiet) as progress:
        scores = [_scores(competitor, draws, classified, progress) for competitor in competitors]
    comparisons = [
        Comparison(
            task=task,
            view=subject.table.rows.views[task.view],
            names=[(one.baseline, one.encoder) for one in competitors],
            scores=[by_count[index] for by_count in scores],
            n_labels=len(labelled[0]),
            all_labels=count is None,
            origin=origin,
            method=method,
            layer=str(subject.layer),
        )
        for index, (count, labelled) in enumerate(zip(label_counts, draws, strict=True))
    ]
    return ProbeOutcome.of(comparisons)


def classify(inputs: Floats32, task: Task, labelled: Integers, validation: Integers) -> Scores:
    """Outputs for the test rows, `(T,)` or `(T, C)`, of a regression on the labelled ones.

    Args:
        inputs: `(R, D)`.
        task: classes and test rows.
        labelled: rows to learn from.
        validation: rows that choose the strength of the penalty.
    """
    classes = task.class_index
    sizes = task.sizes_of(labelled, validation)
    head = fit_linear(inputs[labelled], classes[labelled], inputs[validation], classes[validation], sizes)
    return outputs_of(head, inputs[task.test])


def nearest_neighbours(inputs: Floats32, task: Task, labelled: Integers, validation: Integers) -> Scores:
    """Logits of the classes' shares among the nearest labelled jets of each test row, by the angle between inputs.

    A class that is not among n neighbours counts half a neighbour (Jeffreys' prior): a share of 0 has no logit.

    Args:
        inputs: `(R, D)`.
        task: classes and test rows.
        labelled: rows to compare with.
        validation: rows that choose the number of neighbours, by the AUC.

    Returns:
        As `classify`.
    """
    scaler = StandardScaler().fit(inputs[labelled])
    used = np.concatenate([labelled, validation, task.test])
    scaled = np.zeros(inputs.shape, np.float32)
    scaled[used] = normalize(scaler.transform(inputs[used]))
    classes, held_out = task.class_index, task.class_index[validation]
    of_size = [
        KNeighborsClassifier(size).fit(scaled[labelled], classes[labelled])
        for size in NEIGHBOURS
        if size <= len(labelled)
    ]
    equal = np.ones(len(validation))

    def quality(model: KNeighborsClassifier) -> float:
        return OneAgainstOne(model.predict_proba(scaled[validation]), held_out)(equal)

    best = max(of_size, key=quality)
    logits = np.log(best.predict_proba(scaled[task.test]) * best.n_neighbors + 0.5)
    return np.asarray(logits[:, 0] - logits[:, 1] if logits.shape[1] == 2 else logits)


ScoreFunction = Callable[[Floats32, Task, Integers, Integers], Scores]
CLASSIFIERS: dict[ProbeMethod, ScoreFunction] = {
    "linear_probe": classify,
    "knn": nearest_neighbours,
}
"""By the name in the records."""


def _labelled(task: Task, count: int | None, seed: int, draw: int) -> Integers:
    return task.train if count is None else draw_labels(task, count, generator(seed, Stream.LABELS, count, draw))


def competitors_of(subject: Subject, seed: int, baselines: Sequence[ProbeInput]) -> list[Competitor]:
    """The vectors of a subject, then its baselines; `seed` is that of fresh encoders."""
    run, loaded, table, task = subject.run, subject.loaded, subject.table, subject.task
    rows = np.concatenate([task.train, task.validation, task.test])
    view = np.full(len(rows), task.view)
    card, layer = loaded.card, subject.layer
    pretrained = apply(trained_layer(run, layer), run_vectors(run, loaded, table, task.view))

    def fresh(draw: int) -> Floats32:
        number = torch_seed(seed, Stream.RANDOM_ENCODER, draw)
        encoder = build_encoder(card, number)
        if isinstance(encoder, Normalized):
            encoder.adopt(loaded.encoder)
        vectors = apply(fresh_layer(card, layer, number), embed(encoder, table, view, rows, card.data.feature_set))
        filled = np.zeros((table.rows.n_rows, vectors.shape[1]), np.float32)
        filled[rows] = vectors
        return filled

    def competitor(baseline: ProbeInput) -> Competitor:
        if baseline == "random":
            return Competitor(baseline, card.encoder.name, fresh)
        inputs = INPUTS[baseline](table, task.view)
        return Competitor(baseline, None, lambda _: inputs)

    def of_others(name: str, vectors: Floats32) -> Competitor:
        return Competitor(name, None, lambda _: vectors)

    return [
        Competitor(None, card.encoder.name, lambda _: pretrained),
        *map(competitor, baselines),
        *map(of_others, subject.given.keys(), subject.given.values()),
    ]


def _scores(
    competitor: Competitor,
    draws: Sequence[Sequence[Integers]],
    classified: Callable[[Floats32, Integers, int], Scores],
    progress: ProgressReport,
) -> list[npt.NDArray[np.float64]]:
    """Scores `(K, T)` or `(K, T, C)` at every number of labels; the inputs of a draw are made once."""
    by_count: list[list[Scores]] = [[] for _ in draws]
    for draw in range(N_DRAWS):
        inputs = competitor.inputs(draw)
        for labelled, found in zip(draws, by_count, strict=True):
            same = draw > 0 and labelled[draw] is labelled[0] and competitor.baseline != "random"
            found.append(found[0] if same else classified(inputs, labelled[draw], draw))
        progress.advance(1)
    return [np.stack(found) for found in by_count]
