"""Input features of a constituent, computed after every augmentation so that derived ones stay consistent.

Letters: B jets, N constituents, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jetssl.data import published
from jetssl.data.batching import PaddedJets
from jetssl.data.columns import TYPE_NAMES, masked_stack, types
from jetssl.data.pairs import Floats

LOG_PT_FRACTION_CENTRE = -4.5
"""Typical log(pT / pT_jet) of a constituent: about 1 % of the jet."""
LOG_PT_FRACTION_SCALE = 1.5
"""Its spread; features are (value - centre) / scale."""
ANGLE_SCALE = 0.25
"""Typical distance from the axis of an R = 0.8 jet; delta eta, delta phi and delta R are divided by it."""


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Names of the features, in order, and how they are computed."""

    names: tuple[str, ...]
    compute: Callable[[PaddedJets], Floats]
    """jets → float32 `(B, N, F)`, 0 outside the mask"""


def relative(jets: PaddedJets) -> Floats:
    """Features without any absolute scale or position: float32 `(B, N, 10)`.

    With absolute kinematics NT-Xent recognizes a row by the pT and direction that its views share, and learns
    nothing else.
    """
    fraction = np.where(jets.mask, jets.pt, 1) / jets.jet_pt[:, None]
    columns = [
        (np.log(fraction) - LOG_PT_FRACTION_CENTRE) / LOG_PT_FRACTION_SCALE,
        jets.d_eta / ANGLE_SCALE,
        jets.d_phi / ANGLE_SCALE,
        np.hypot(jets.d_eta, jets.d_phi) / ANGLE_SCALE,
        jets.charge,
        *types(jets),
    ]
    return masked_stack(columns, jets.mask)


def momenta(jets: PaddedJets) -> Floats:
    """Four-vectors (E, px, py, pz) in GeV seen from the jet axis: float32 `(B, N, 4)`, 0 outside the mask.

    The axis lies at eta = phi = 0, so pz is along the beam and px along the jet. Encoders that use pairs of
    constituents read them; differences of rapidity and azimuth are those of the (augmented) jet.
    """
    p_z = jets.pt * np.sinh(jets.d_eta)
    energy = np.sqrt(jets.mass**2 + jets.pt**2 + p_z**2)
    vectors = [energy, jets.pt * np.cos(jets.d_phi), jets.pt * np.sin(jets.d_phi), p_z]
    return np.stack(vectors, axis=-1).astype(np.float32)


FEATURE_SETS = {
    "relative": FeatureSet(("log_pt_fraction", "d_eta", "d_phi", "d_r", "charge", *TYPE_NAMES), relative),
    "kin": FeatureSet(published.KIN, published.kin),
    "kinpid": FeatureSet(published.KINPID, published.kinpid),
    "full": FeatureSet(published.FULL, published.full),
    "rs3l": FeatureSet(published.RS3L, published.rs3l),
}
"""Feature sets by the name that a card uses (`data.features`)."""
