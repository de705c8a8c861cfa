"""Classification without labels (CWoLa, arXiv:1708.02949): two mixtures of signal and background told apart.

The optimal classifier of mixture 1 against mixture 2 is a monotonic function of that of signal against background
(theorem 1), whatever the signal fractions, as long as they differ.

Letters: B jets.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resim.common.errors import InputError


def draw_mixtures(
    is_signal: npt.NDArray[np.bool_], fractions: Sequence[float], rng: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """Disjoint samples of equal size with given fractions of signal, as large as the jets allow.

    Args:
        is_signal: of the jets to draw from, `(B,)`.
        fractions: of signal in each sample.
        rng: of the draw.

    Returns:
        Indices of the jets of each sample.

    Raises:
        InputError: equal fractions, from which nothing can be learned, or fractions for which there are no jets.
    """
    if len(set(fractions)) < 2:
        raise InputError(f"mixtures with signal fractions {list(fractions)}: equal, so nothing tells them apart")
    pools = [rng.permutation(np.flatnonzero(is_signal)), rng.permutation(np.flatnonzero(~is_signal))]
    wanted = np.array([fractions, [1 - fraction for fraction in fractions]])
    needed = wanted.sum(1)
    if (wanted < 0).any():
        raise InputError(f"mixtures with signal fractions {list(fractions)}: want numbers from 0 to 1")
    size = int(min(len(pool) / need for pool, need in zip(pools, needed, strict=True) if need))
    counts = np.floor(wanted * size + 1e-9).astype(int)
    if counts.sum(0).min() < 2:
        raise InputError(f"mixtures with signal fractions {list(fractions)}: {len(is_signal)} jets are too few")
    parts = [np.split(pool[: c.sum()], np.cumsum(c)[:-1]) for pool, c in zip(pools, counts, strict=True)]
    return [np.sort(np.concatenate(of_sample)) for of_sample in zip(*parts, strict=True)]
