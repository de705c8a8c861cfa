"""Electromagnetic showers in depth: gamma distributions whose parameters fluctuate (hep-ex/0001020).

The formulas are those of Grindhammer and Peters for homogeneous media: a section is one mixture, as in COCOA.
"""

from typing import Final

import numpy as np

from resim.common.arrays import Floats

_LEAST_LOG_Y: Final = 1.2
"""ln y from which on all logarithms of the formulas exist; they are meant for showers above 1 GeV, where ln y > 4."""
_LARGEST_SIGMA: Final = 0.5
"""Spread of ln T and ln alpha where the formulas have their poles."""
_LEAST_SHAPE: Final = 1.1
"""Shape below which a profile has no maximum inside the calorimeter."""
PAIR_PRODUCTION: Final = 9 / 7
"""Mean free path of a photon, radiation lengths (PDG review, Passage of particles through matter)."""


def profile(y: Floats, z: Floats, normal: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Longitudinal profile of single showers, dE/dt = Gamma(t; alpha, 1 / beta) of depth t in radiation lengths.

    ln T and ln alpha are normal and correlated; T = (alpha - 1) / beta is the depth of the maximum.

    Args:
        y: float64 `(n,)`, energy over critical energy.
        z: float64 `(n,)`, effective atomic number.
        normal: float64 `(n,)`, standard normal random numbers.
        other: float64 `(n,)`, likewise.

    Returns:
        Shape alpha, and depth of the maximum T in radiation lengths; float64 `(n,)` each.
    """
    log_y = np.maximum(np.log(np.maximum(y, 1e-9)), _LEAST_LOG_Y)
    mean_t, mean_alpha = np.log(log_y - 0.812), np.log(0.81 + (0.458 + 2.26 / z) * log_y)
    sigma_t = _spread(-1.4 + 1.26 * log_y)
    sigma_alpha = _spread(-0.58 + 0.86 * log_y)
    rho = 0.705 - 0.023 * log_y
    plus, minus = np.sqrt((1 + rho) / 2), np.sqrt((1 - rho) / 2)
    t_max = np.exp(mean_t + sigma_t * (plus * normal + minus * other))
    alpha = np.exp(mean_alpha + sigma_alpha * (plus * normal - minus * other))
    return np.maximum(alpha, _LEAST_SHAPE), t_max


def _spread(inverse: Floats) -> Floats:
    return 1 / np.maximum(inverse, 1 / _LARGEST_SIGMA)
