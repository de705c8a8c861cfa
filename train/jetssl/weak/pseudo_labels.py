"""Labels that a teacher gives: hard, soft, or only where it is sure.

Letters: B jets, K classes.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
CONFIDENCE = 0.9
"""Probability of the most probable class above which a jet is selected."""


def hard_labels(probabilities: Floats) -> Floats:
    """1 for the most probable class (D.-H. Lee, ICML workshop 2013): `(B, K)` → `(B, K)`.

    >>> hard_labels(np.array([[0.2, 0.8]])).tolist()
    [[0.0, 1.0]]
    """
    return np.asarray(np.eye(probabilities.shape[1])[probabilities.argmax(1)])


def confident(probabilities: Floats, threshold: float = CONFIDENCE) -> npt.NDArray[np.int64]:
    """Jets whose most probable class is at least as probable as a threshold, or the surest half of a class.

    Without the second rule a teacher that is sure of no jet of a class would teach that the class does not exist.

    Args:
        probabilities: `(B, K)`.
        threshold: of the probability.

    Returns:
        Indices, int64, ascending.
    """
    winner, height = probabilities.argmax(1), probabilities.max(1)
    chosen = [np.empty(0, np.int64)]
    for k in np.unique(winner):
        members = np.flatnonzero(winner == k)
        sure = members[height[members] >= threshold]
        half = members[np.argsort(-height[members], kind="stable")[: -(-len(members) // 2)]]
        chosen.append(sure if len(sure) >= len(half) else half)
    return np.sort(np.concatenate(chosen))
