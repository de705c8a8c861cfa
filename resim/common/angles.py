"""Azimuths in [-pi, pi)."""

from typing import Any

import numpy as np
import numpy.typing as npt


def wrap(angle: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """The same angle in [-pi, pi), any shape, dtype kept.

    >>> wrap(np.array([0.5, np.pi, 2 * np.pi])).round(3).tolist()
    [0.5, -3.142, 0.0]
    """
    return np.asarray((angle + np.pi) % (2 * np.pi) - np.pi)
