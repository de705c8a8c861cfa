"""Label noise that depends on the class only, as a transition matrix; its injection at a known rate.

Letters: K classes, B jets.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.errors import InputError

Matrix = npt.NDArray[np.float64]
TOLERANCE = 1e-6
"""Of the sums of rows."""


def symmetric(rate: float, n_classes: int = 2) -> Matrix:
    """Every wrong class is as likely: 1 - rate on the diagonal, rate / (K - 1) beside it, `(K, K)`.

    Raises:
        InputError: the rate is so large that the right class is no longer the most frequent one.

    >>> symmetric(0.2).tolist()
    [[0.8, 0.2], [0.2, 0.8]]
    """
    noise = np.full((n_classes, n_classes), rate / (n_classes - 1))
    np.fill_diagonal(noise, 1 - rate)
    return checked(noise)


def class_dependent(rates: Sequence[float]) -> Matrix:
    """Two classes, each with a rate of its own.

    Args:
        rates: probability of a wrong label for the jets of class 0 and of class 1.

    Raises:
        InputError: a rate of 0.5 or more.

    >>> class_dependent([0.1, 0.3]).tolist()
    [[0.9, 0.1], [0.3, 0.7]]
    """
    first, second = rates
    return checked(np.array([[1 - first, first], [second, 1 - second]]))


def checked(matrix: npt.ArrayLike) -> Matrix:
    """A transition matrix: element (i, j) is the probability that a jet of class i gets label j.

    Raises:
        InputError: not square, a negative element, a row whose sum is not 1, or a class whose label is more often
            wrong than right by 0.5 or more: then the classes cannot be told from their labels.
    """
    found = np.asarray(matrix, np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1]:
        raise InputError(f"transition matrix of shape {found.shape}: want one row and one column for each class")
    for index, row in enumerate(found):
        if not ((row >= 0).all() and abs(row.sum() - 1) <= TOLERANCE):
            raise InputError(
                f"transition matrix, row {index}: {row.tolist()} is no probability (sum {row.sum():g}); want numbers"
                " of at least 0 with sum 1"
            )
        if (np.delete(row, index) >= row[index]).any():
            raise InputError(
                f"label noise of class {index}: {1 - row[index]:g} of its labels are wrong, and a wrong class is as"
                " frequent as the right one; want less (below 0.5 for two classes)"
            )
    return found


def corrupt(labels: npt.NDArray[np.integer[Any]], matrix: Matrix, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Labels as the noise leaves them.

    Args:
        labels: class of each jet, `(B,)`.
        matrix: `(K, K)`.
        rng: one number a jet.

    Returns:
        int64 `(B,)`.
    """
    edges = np.cumsum(matrix, axis=1)[labels]
    drawn = (rng.random(len(labels))[:, None] >= edges).sum(1)
    return np.asarray(np.minimum(drawn, len(matrix) - 1))  # the last edge may be 1 - 1e-16
