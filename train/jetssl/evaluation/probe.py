"""Linear probe: logistic regression on frozen jet vectors, beside a fresh encoder and hand-made features.

The three inputs share labelled rows, test rows and protocol: columns standardized on the labelled jets, then
L2-regularized logistic regression. Labelled rows are of the training split, tested rows of the test split.

Letters: R rows, D columns, T test jets, K draws.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jetssl.common.seeds import Stream, generator, torch_seed
from jetssl.data.rows import Float32Array, Integers
from jetssl.data.table import PairTable
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.metrics import Scores
from jetssl.evaluation.results import Baseline, Origin, Result, RocCurve
from jetssl.evaluation.summary import Comparison, roc_curves, summarize
from jetssl.evaluation.task import Task, draw_labels
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import LoadedEncoder
from jetssl.models.normalization import Normalized

N_DRAWS = 10
"""Draws of labels; a fresh encoder for each."""
INVERSE_L2_VECTOR = 0.1
"""scikit-learn's C for jet vectors: with 100 labels and 64 standardized columns, more freedom only fits noise."""
INVERSE_L2_FEATURES = 1.0
"""The same for the four hand-made features, which would lose by a stronger penalty."""

Inputs = Callable[[int], Float32Array]
"""Draw → float32 `(R, D)`; only the rows of the task are filled."""


@dataclass(frozen=True, slots=True)
class Competitor:
    """An input of the probe."""

    baseline: Baseline | None
    encoder: str | None
    inputs: Inputs
    inverse_l2: float
    """scikit-learn's C"""


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """Everything that a probe found."""

    results: list[Result]
    curves: list[RocCurve]


def probe(
    loaded: LoadedEncoder, table: PairTable, task: Task, label_counts: Sequence[int | None], origin: Origin
) -> ProbeOutcome:
    """Compare the three inputs at several numbers of labels.

    Args:
        loaded: the pre-trained encoder.
        table: the loaded pair files.
        task: rows and classes.
        label_counts: numbers of labels; None for all.
        origin: seed of the draws, the fresh encoders and the bootstrap; and the command line.

    Raises:
        InputError: fewer labelled rows than asked for.
    """
    draws = [[_labelled(task, count, origin.seed, draw) for draw in range(N_DRAWS)] for count in label_counts]
    competitors = _competitors(loaded, table, task, origin.seed)
    scores = _all_scores(competitors, task, draws)
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
        )
        results += summarize(about)
        curves += roc_curves(about)
    return ProbeOutcome(results, curves)


def hand_made(table: PairTable, view: int) -> Float32Array:
    """Soft-drop mass, mass, multiplicity and pT of every row in a view, float32 `(R, 4)`."""
    jets = table.jets
    columns = [jets.softdrop_mass[view], jets.mass[view], jets.n_constituents[view], jets.pt[view]]
    return np.stack(columns, axis=1).astype(np.float32)


def classify(
    inputs: Float32Array, is_signal: npt.NDArray[np.bool_], labelled: Integers, test: Integers, inverse_l2: float
) -> Scores:
    """Scores `(T,)` of the test rows from a regression on the labelled ones.

    Args:
        inputs: `(R, D)`.
        is_signal: `(R,)`.
        labelled: rows to learn from.
        test: rows to judge.
        inverse_l2: scikit-learn's C, the inverse strength of the penalty.
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(C=inverse_l2, max_iter=2000))
    model.fit(inputs[labelled].astype(np.float64), is_signal[labelled])
    return np.asarray(model.decision_function(inputs[test].astype(np.float64)))


def _labelled(task: Task, count: int | None, seed: int, draw: int) -> Integers:
    return task.train if count is None else draw_labels(task, count, generator(seed, Stream.LABELS, count, draw))


def _competitors(loaded: LoadedEncoder, table: PairTable, task: Task, seed: int) -> list[Competitor]:
    rows = np.concatenate([task.train, task.test])
    view = np.full(len(rows), task.view)
    card = loaded.card

    def spread(vectors: Float32Array) -> Float32Array:
        filled = np.zeros((table.rows.n_rows, vectors.shape[1]), np.float32)
        filled[rows] = vectors
        return filled

    pretrained = spread(embed(loaded.encoder, table, view, rows, card.data.features))
    by_hand = hand_made(table, task.view)

    def fresh(draw: int) -> Float32Array:
        encoder = build_encoder(card, torch_seed(seed, Stream.RANDOM_ENCODER, draw))
        if isinstance(encoder, Normalized):
            encoder.adopt(loaded.encoder)
        return spread(embed(encoder, table, view, rows, card.data.features))

    return [
        Competitor(None, card.encoder.name, lambda _: pretrained, INVERSE_L2_VECTOR),
        Competitor("random", card.encoder.name, fresh, INVERSE_L2_VECTOR),
        Competitor("features", None, lambda _: by_hand, INVERSE_L2_FEATURES),
    ]


def _all_scores(
    competitors: Sequence[Competitor], task: Task, draws: Sequence[Sequence[Integers]]
) -> list[list[npt.NDArray[np.float64]]]:
    """Scores `(K, T)` by competitor and number of labels; the inputs of a draw are made once."""
    scores = [[np.empty((N_DRAWS, len(task.test))) for _ in draws] for _ in competitors]
    for competitor, by_count in zip(competitors, scores, strict=True):
        for draw in range(N_DRAWS):
            inputs = competitor.inputs(draw)
            for labelled, filled in zip(draws, by_count, strict=True):
                same_as_before = draw > 0 and labelled[draw] is labelled[0] and competitor.baseline != "random"
                filled[draw] = (
                    filled[0]
                    if same_as_before
                    else classify(inputs, task.is_signal, labelled[draw], task.test, competitor.inverse_l2)
                )
    return scores
