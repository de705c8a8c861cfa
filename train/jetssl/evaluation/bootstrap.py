"""Errors from replicas of everything that was drawn: test hard scatters, label draws, training seeds.

A replica draws hard scatters with replacement, and one fewer label draws and training seeds than there are: with n
of n, the variance of a mean over n would come out (n - 1) / n of its true size (doi:10.1080/01621459.1988.10478591),
half of it for two seeds. Whoever asks with the same seed sees the same replicas, so differences are paired; between
runs of different numbers of fits, those of the jets are.

What each source adds is seen in replicas in which it alone varies.

Letters: T test jets, S training seeds, K label draws, M replicas, F figures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from jetssl.common.seeds import Stream, generator
from jetssl.evaluation.results import ErrorParts
from resim.common.arrays import Floats

N_REPLICAS = 300
"""Bootstrap replicas behind each error: known to about 4 %."""

SOURCES: Final = ("jets", "draws", "seeds")
"""Of an error: test hard scatters, label draws, training seeds."""

ROUNDING: Final = 1e-12
"""Spread of replicas that are equal."""

Statistic = Callable[[npt.NDArray[np.int64]], Floats]
"""Weights of the test jets, int64 `(T,)` → any number of figures."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One way in which the evaluation could have come out."""

    jets: npt.NDArray[np.int64]
    """how often each test jet counts, `(T,)`; jets of one hard scatter share it"""
    seeds: Floats
    """weight of each training seed, `(S,)`, sum 1"""
    draws: Floats
    """weight of each label draw, `(K,)`, sum 1"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What an evaluation drew; the numbers that stand beside each error."""

    hard_scatter: npt.NDArray[Any]
    """identity of the hard scatter of each test jet, `(T,)`"""
    n_seeds: int
    n_draws: int

    def replicas(self, seed: int, *address: int) -> Iterator[Replica]:
        """`N_REPLICAS` of them; the jets depend on seed and address only, not on how many fits there are."""
        of_jets, of_fits = (generator(seed, Stream.BOOTSTRAP, *address, part) for part in (0, 1))
        names, member = np.unique(self.hard_scatter, return_inverse=True)
        equal = np.full(len(names), 1 / len(names))
        for _ in range(N_REPLICAS):
            jets = np.asarray(of_jets.multinomial(len(names), equal)[member], np.int64)
            yield Replica(jets, _shares(self.n_seeds, of_fits), _shares(self.n_draws, of_fits))


def _shares(number: int, rng: np.random.Generator) -> Floats:
    drawn = max(number - 1, 1)
    return np.asarray(rng.multinomial(drawn, np.full(number, 1 / number)) / drawn)


def bootstrap(statistics: Sequence[Sequence[Statistic]], sample: Sample, seed: int, *address: int) -> Floats:
    """Replicas of the mean over all fits of some figures.

    Args:
        statistics: of the fit of each training seed (S) and label draw (K).
        sample: what was drawn.
        seed: of the replicas.
        address: tells evaluations with one seed apart; equal ones are paired.

    Returns:
        `(1 + len(SOURCES), M, F)`: all sources vary, then each of `SOURCES` alone; NaN where a class does not occur
        in a replica.
    """
    fits = _of_fits(statistics, np.ones(len(sample.hard_scatter), np.int64))
    all_seeds, all_draws = (np.full(number, 1 / number) for number in fits.shape[:2])
    rows = []
    for replica in sample.replicas(seed, *address):
        drawn = _of_fits(statistics, replica.jets)
        rows.append(
            [
                _mean(drawn, replica.seeds, replica.draws),
                _mean(drawn, all_seeds, all_draws),
                _mean(fits, all_seeds, replica.draws),
                _mean(fits, replica.seeds, all_draws),
            ]
        )
    return np.array(rows).swapaxes(0, 1)


def _of_fits(statistics: Sequence[Sequence[Statistic]], jets: npt.NDArray[np.int64]) -> Floats:
    """Figures of every fit, `(S, K, F)`."""
    return np.array([[statistic(jets) for statistic in of_seed] for of_seed in statistics])


def _mean(figures: Floats, seeds: Floats, draws: Floats) -> Floats:
    return np.asarray(np.einsum("s,k,skf->f", seeds, draws, figures))


def error_parts(replicas: Floats, sample: Sample) -> ErrorParts:
    """Spread of a figure from each of `SOURCES` alone, from its replicas `(1 + len(SOURCES), M)`.

    What was drawn once, or is the same in all draws (all labels, every time), has none.
    """
    numbers = (len(np.unique(sample.hard_scatter)), sample.n_draws, sample.n_seeds)
    parts = {source: spread(alone) for source, alone in zip(SOURCES, replicas[1:], strict=True)}
    drawn = {source for source, number in zip(SOURCES, numbers, strict=True) if number > 1}
    return ErrorParts(**{source: part for source, part in parts.items() if source in drawn and part > ROUNDING})


def spread(replicas: Floats) -> float:
    """One standard deviation of a figure, `(M,)`, over the replicas in which it exists."""
    return float(np.nanstd(replicas, ddof=1))
