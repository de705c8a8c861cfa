"""Showers of hadrons: where they start, how much of them is electromagnetic, and how they go on in depth."""

from typing import Final

import numpy as np

from resim.card.calorimeter_card import HadronicShowers
from resim.common.arrays import Floats

EM_RATE: Final = 0.2198
"""Rate of the electromagnetic part in depth, per radiation length (Bock et al., NIM 186 (1981) 533)."""
_LEAST_FRACTION: Final = 0.02
"""Mean electromagnetic fraction below which a shower has none."""


def mean_em_fraction(energy: Floats, showers: HadronicShowers) -> Floats:
    """Mean electromagnetic fraction 1 - (E / E0)^(k - 1) (PDG review, "Hadronic calorimeters"), 0 below E0.

    Args:
        energy: float64 `(n,)`, GeV.
        showers: k and E0.
    """
    return 1 - np.maximum(energy / showers.em_scale, 1.0) ** (showers.em_exponent - 1)


def em_fraction(energy: Floats, uniform: Floats, showers: HadronicShowers) -> Floats:
    """Electromagnetic fractions of single showers: beta distributed about the mean.

    Args:
        energy: float64 `(n,)`, GeV.
        uniform: float64 `(n,)`, uniform random numbers.
        showers: mean and concentration.
    """
    from scipy.special import betaincinv  # slow to import, and every worker imports this module

    mean = mean_em_fraction(energy, showers)
    some = mean >= _LEAST_FRACTION
    a = mean[some] * showers.em_concentration
    fraction = np.zeros(len(energy))
    fraction[some] = betaincinv(a, showers.em_concentration - a, uniform[some])
    return fraction


def shape(energy: Floats) -> Floats:
    """Shape of the gamma distributions of both parts in depth from the start of the shower (Bock et al.).

    Args:
        energy: float64 `(n,)`, GeV; the formula is meant for 10 to 400 GeV and taken at 1 GeV below.
    """
    return 0.6165 + 0.3183 * np.log(np.maximum(energy, 1.0))


def rate(energy: Floats) -> Floats:
    """Rate of the gamma distribution of what is not electromagnetic, per interaction length (Bock et al.).

    Args:
        energy: float64 `(n,)`, GeV; the formula is meant for 10 to 400 GeV and taken at 1 GeV below.
    """
    return 0.9099 - 0.0237 * np.log(np.maximum(energy, 1.0))
