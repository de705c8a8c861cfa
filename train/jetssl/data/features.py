"""Input features of a constituent, computed after every augmentation so that derived ones stay consistent.

Letters: B jets, N constituents, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from jetssl.data.batching import PaddedJets
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
    nothing else. Types are one-hot; whatever is charged and no e or mu counts as a charged hadron, whatever is
    neutral and no photon as a neutral one.
    """
    pdg_id, charged = np.abs(jets.pdg_id), jets.charge != 0
    electron, muon, photon = pdg_id == 11, pdg_id == 13, pdg_id == 22
    fraction = np.where(jets.mask, jets.pt, 1) / jets.jet_pt[:, None]
    columns = [
        (np.log(fraction) - LOG_PT_FRACTION_CENTRE) / LOG_PT_FRACTION_SCALE,
        jets.d_eta / ANGLE_SCALE,
        jets.d_phi / ANGLE_SCALE,
        np.hypot(jets.d_eta, jets.d_phi) / ANGLE_SCALE,
        jets.charge,
        charged & ~electron & ~muon,
        ~charged & ~photon & ~electron & ~muon,
        photon,
        electron,
        muon,
    ]
    features = np.stack(columns, axis=-1).astype(np.float32)
    features[~jets.mask] = 0
    return features


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
    "relative": FeatureSet(
        names=(
            "log_pt_fraction",
            "d_eta",
            "d_phi",
            "d_r",
            "charge",
            "is_charged_hadron",
            "is_neutral_hadron",
            "is_photon",
            "is_electron",
            "is_muon",
        ),
        compute=relative,
    )
}
"""Feature sets by the name that a card uses (`data.features`)."""
