"""Toy mass spectra."""

import numpy as np

from jetssl.weak.spectrum import MassWindow

WINDOW = MassWindow((1200.0, 1400.0), (1000.0, 1800.0))


def falling(rng: np.random.Generator, size: int, power: float = -5.0) -> np.ndarray:
    """Masses in the window with a density of this power."""
    low, high = (edge ** (power + 1) for edge in WINDOW.sidebands)
    return (low + rng.random(size) * (high - low)) ** (1 / (power + 1))
