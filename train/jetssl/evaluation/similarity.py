"""Where the jets of an encoder lie: similarity of views and of other rows, alignment, uniformity, rank.

Letters: B rows, V views, D model width, M replicas, the first of which is the sample itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from jetssl.evaluation.bootstrap import Sample, spread
from jetssl.evaluation.results import Distribution, ErrorParts, Result
from jetssl.methods.monitors import effective_rank
from jetssl.methods.shortcuts import in_one_bin
from resim.common.arrays import Booleans, Floats, Floats32

COSINES: Final = np.linspace(-1, 1, 51)
"""Bins of a cosine similarity."""
OF_A_PAIR: Final = (
    "cosine_positive",
    "cosine_negative",
    "cosine_negative_in_bin",
    "pair_auc",
    "pair_auc_in_bin",
    "alignment",
)
"""Metrics of two views."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Directions of the jet vectors of some rows that are valid in all views."""

    views: tuple[str, ...]
    unit: Floats32
    """float32 `(V, B, D)`, of length 1"""
    kinematics: Floats32
    """pT in GeV and eta of the jets, `(V, B, 2)`"""
    jet_class: npt.NDArray[np.int16]
    """`(B,)`"""
    hard_scatter: npt.NDArray[np.uint64]
    """`(B,)`"""

    def weights(self, seed: int) -> Floats32:
        """Ones, then how often each row counts in every replica: float32 `(1 + M, B)`."""
        replicas = Sample(self.hard_scatter, 1, 1).replicas(seed)
        rows = [np.ones(len(self.hard_scatter)), *(replica.jets for replica in replicas)]
        return np.stack(rows).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Similarity:
    """Cosine similarities of the rows of one view (first index) with those of another one."""

    cosine: Floats32
    """`(B, B)`"""
    in_bin: Booleans
    """`(B, B)`, whether two different rows agree in class, pT and |eta|, as the two views of the first one do"""

    @classmethod
    def of(cls, vectors: Vectors, first: int, second: int) -> "Similarity":
        """Of two views."""
        one, other = (torch.from_numpy(vectors.kinematics[view]) for view in (first, second))
        labels = torch.from_numpy(vectors.jet_class)
        in_bin = in_one_bin(one, other, labels, labels)
        in_bin &= in_bin.diagonal()[:, None].clone()
        return cls(vectors.unit[first] @ vectors.unit[second].T, in_bin.fill_diagonal_(False).numpy())

    def figures(self, weights: Floats32) -> Floats:
        """`OF_A_PAIR` for each set of weights, `(M, B)` → `(len(OF_A_PAIR), M)`.

        The AUC is that of `jetssl.methods.shortcuts.PairAuc`: over triplets of a row, its other view and another row.
        """
        positive = np.diagonal(self.cosine)
        right = (self.cosine < positive[:, None]) + 0.5 * (self.cosine == positive[:, None])
        others = ~np.eye(len(positive), dtype=bool)
        negative, in_bin, auc, auc_in_bin = (
            _mean_over_pairs(values, kept, weights)
            for values in (self.cosine, right)
            for kept in (others, self.in_bin)
        )
        close = weights @ positive / weights.sum(1)
        # Squared distance of unit vectors (arXiv:2005.10242, alpha = 2).
        return np.stack([close, negative, in_bin, auc, auc_in_bin, 2 - 2 * close]).astype(np.float64)

    def distributions(self, view: str, other_view: str) -> Iterator[Distribution]:
        """Histograms of the three kinds of similarity, counts of pairs."""
        others = ~np.eye(len(self.cosine), dtype=bool)
        kinds = (np.diagonal(self.cosine), self.cosine[others], self.cosine[self.in_bin])
        for quantity, values in zip(OF_A_PAIR[:3], kinds, strict=True):
            counts = np.histogram(np.clip(values, -1, 1), COSINES)[0]
            yield Distribution(
                run=None,
                quantity=quantity,
                view=view,
                other_view=other_view,
                jet_class=None,
                edges=COSINES.tolist(),
                counts=counts.tolist(),
            )


def _mean_over_pairs(values: npt.NDArray[Any], kept: Booleans, weights: Floats32) -> Floats32:
    """Mean of `(B, B)` values over the pairs that are kept, counted with both weights: `(M,)`; NaN without any."""
    with np.errstate(invalid="ignore"):
        over, under = (
            ((weights @ np.asarray(matrix, np.float32)) * weights).sum(1) for matrix in (values * kept, kept)
        )
        return np.asarray(over / under)


def unit_vectors(vectors: Floats32) -> Floats32:
    """Directions of vectors `(B, D)`; 0 of a vector of length 0."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0))


def similarities(vectors: Vectors, facts: dict[str, Any], seed: int) -> tuple[list[Result], list[Distribution]]:
    """Records of each pair of views and of each view, and the histograms of similarities.

    Args:
        vectors: of the rows.
        facts: what every record says of run and rows.
        seed: of the replicas.
    """
    weights = vectors.weights(seed)
    results: list[Result] = []
    shapes: list[Distribution] = []
    for first, second in combinations(range(len(vectors.views)), 2):
        similarity = Similarity.of(vectors, first, second)
        names = vectors.views[first], vectors.views[second]
        shapes += similarity.distributions(*names)
        for metric, values in zip(OF_A_PAIR, similarity.figures(weights), strict=True):
            results.append(record(metric, names[0], names[1], values, facts))
    for view, unit in zip(vectors.views, vectors.unit, strict=True):
        results.append(record("uniformity", view, None, _uniformity(unit, weights), facts))
        ranks = np.array([_rank(unit, row) for row in weights])
        results.append(record("effective_rank", view, None, ranks, facts))
    return results, shapes


def record(metric: str, view: str, other_view: str | None, values: Floats, facts: dict[str, Any]) -> Result:
    """Of a figure of the sample and its replicas, `(1 + M,)`; without a value where nothing was compared."""
    known = bool(np.isfinite(values[0]))
    return Result(
        metric=metric,
        view=view,
        other_view=other_view,
        value=float(values[0]) if known else None,
        error=spread(values[1:]) if known else None,
        error_parts=ErrorParts(jets=spread(values[1:])) if known else None,
        replicas=tuple(values[1:].tolist()) if known else None,
        **facts,
    )


def _uniformity(unit: Floats32, weights: Floats32) -> Floats:
    """Log of the mean Gaussian potential between rows (arXiv:2005.10242, t = 2): `(M,)`."""
    potential = np.exp(4 * np.minimum(unit @ unit.T - 1, 0))
    return np.log(_mean_over_pairs(potential, ~np.eye(len(unit), dtype=bool), weights)).astype(np.float64)


def _rank(unit: Floats32, weights: Floats32) -> float:
    return float(effective_rank(torch.from_numpy(np.repeat(unit, weights.astype(int), axis=0))))
