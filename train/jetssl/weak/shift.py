"""The size of a domain shift: how well a classifier tells the domains apart, and how far their distributions are.

Letters: B jets, D columns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import wasserstein_distance
from sklearn.ensemble import HistGradientBoostingClassifier

from jetssl.common.seeds import Stream, generator
from jetssl.evaluation.bootstrap import Sample, spread
from jetssl.evaluation.results import Result
from jetssl.weak.domains import Domain
from jetssl.weak.study import Study
from resim.common.arrays import Floats32, Integers

OBSERVABLES = ("mass", "softdrop_mass", "n_constituents", "pt")
"""Columns of jets by which domains are told apart."""

Figure = Callable[[Sequence[npt.NDArray[np.int64]]], float]
"""Weights of the test jets of both domains → a number."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number with its error, and what it would be without a shift."""

    name: str
    value: float
    error: float
    null: float


def proxy_a_distance(error: float) -> float:
    """2 (1 - 2 err) of a classifier between domains (S. Ben-David et al., NIPS 2007; arXiv:1505.07818, eq. 3).

    0 if it guesses, 2 if it is never wrong.

    >>> proxy_a_distance(0.5), proxy_a_distance(0.0)
    (0.0, 2.0)
    """
    return 2 * (1 - 2 * error)


def shift(one: Domain, other: Domain, seed: int) -> list[Measured]:
    """Proxy A-distance and Wasserstein distances of two domains, from their test jets.

    Labels are not looked at. The null value is that of the same domain in two halves (Wasserstein), or 0 (proxy
    A-distance, which is unbiased: the classifier has learned from other hard scatters).

    Args:
        one: a domain.
        other: another one.
        seed: of the errors.
    """
    return [_told_apart(one, other, seed), *(_wasserstein(one, other, name, seed) for name in OBSERVABLES[:3])]


def shift_records(study: Study) -> list[Result]:
    """Records of the shift between the domains of a study."""
    one, other = study.domain("simulation"), study.domain("data")
    keys = np.concatenate([domain.table.rows.identity[domain.splits.test] for domain in (one, other)])
    return [
        Result(
            task="simulation_vs_data",
            encoder=None,
            baseline=None,
            method="domain_shift",
            view=one.card.view,
            other_view=other.card.view,
            n_labels=0,
            all_labels=True,
            n_draws=1,
            metric=found.name,
            value=found.value,
            error=found.error,
            null=found.null,
            n_test=len(keys),
            n_hard_scatters=len(np.unique(keys)),
            seed=study.origin.seed,
            command=study.origin.command,
        )
        for found in shift(one, other, study.card.seed)
    ]


def _told_apart(one: Domain, other: Domain, seed: int) -> Measured:
    learn = [_columns(domain, domain.splits.train) for domain in (one, other)]
    test = [_columns(domain, domain.splits.test) for domain in (one, other)]
    model = HistGradientBoostingClassifier(random_state=seed).fit(*_stacked(learn))
    right = [model.predict(columns) == index for index, columns in enumerate(test)]

    def figure(weights: Sequence[npt.NDArray[np.int64]]) -> float:
        return proxy_a_distance(
            float(np.mean([1 - np.average(found, weights=w) for found, w in zip(right, weights, strict=True)]))
        )

    value = figure([np.ones(len(found), np.int64) for found in right])
    return Measured("proxy_a_distance", value, _error(one, other, figure, seed), 0.0)


def _wasserstein(one: Domain, other: Domain, name: str, seed: int) -> Measured:
    index = OBSERVABLES.index(name)
    values = [_columns(domain, domain.splits.test)[:, index] for domain in (one, other)]

    def figure(weights: Sequence[npt.NDArray[np.int64]]) -> float:
        return float(wasserstein_distance(*values, *weights))

    order = generator(seed, Stream.BOOTSTRAP, index).permutation(len(values[0]))
    halves = np.array_split(values[0][order], 2)
    value = figure([np.ones(len(found), np.int64) for found in values])
    return Measured(
        f"wasserstein_{name}", value, _error(one, other, figure, seed), float(wasserstein_distance(*halves))
    )


def _error(one: Domain, other: Domain, figure: Figure, seed: int) -> float:
    keys = [domain.table.rows.identity[domain.splits.test] for domain in (one, other)]
    sample = Sample(np.concatenate(keys), 1, 1)
    found = [figure(np.split(replica.jets, [len(keys[0])])) for replica in sample.replicas(seed)]
    return spread(np.array(found))


def _columns(domain: Domain, rows: Integers) -> Floats32:
    jets = domain.table.jets
    return np.stack([getattr(jets, name)[0, rows] for name in OBSERVABLES], axis=1).astype(np.float32)


def _stacked(columns: Sequence[Floats32]) -> tuple[Floats32, npt.NDArray[np.int64]]:
    return np.concatenate(columns), np.repeat(np.arange(len(columns)), [len(part) for part in columns])
