"""Input features of published taggers, with their names and scalings.

`kin`, `kinpid` and `full` are those of the Particle Transformer on JetClass (arXiv:2202.03772, table 2; names,
offsets, factors and order of the repository jet-universe/particle_transformer, data/JetClass/JetClass_*.yaml). They
are made for jets of 500-1000 GeV; delta eta is mirrored for jets at negative eta, as JetClass stores it.
`rs3l` is the input of RS3L (arXiv:2403.07066), not scaled.

Letters: B jets, N constituents.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.data.batching import PaddedJets
from jetssl.data.columns import masked_stack, types
from jetssl.data.pairs import Floats
from resim.angles import wrap

TYPES = ("part_isChargedHadron", "part_isNeutralHadron", "part_isPhoton", "part_isElectron", "part_isMuon")
SCALES = ("part_pt_log", "part_e_log", "part_logptrel", "part_logerel", "part_deltaR")
DIRECTIONS = ("part_deta", "part_dphi")
KIN = (*SCALES, *DIRECTIONS)
KINPID = (*SCALES, "part_charge", *TYPES, *DIRECTIONS)
FULL = (*SCALES, "part_charge", *TYPES, "part_d0", "part_d0err", "part_dz", "part_dzerr", *DIRECTIONS)
RS3L = (
    "log_pt",
    "log_pt_fraction",
    "d_eta",
    "d_phi",
    "log_energy",
    "log_energy_fraction",
    "charge",
    "tanh_d0",
    "tanh_dz",
    "d_r",
    "is_photon",
    "is_muon",
    "is_electron",
    "is_charged_hadron",
    "is_neutral_hadron",
)
CLIP = 5.0
"""weaver cuts every scaled feature at +-5."""

Column = npt.NDArray[Any]


def kin(jets: PaddedJets) -> Floats:
    """Momenta only: float32 `(B, N, 7)`."""
    return masked_stack([*_scales(jets), *_directions(jets, mirrored=True)], jets.mask)


def kinpid(jets: PaddedJets) -> Floats:
    """Momenta, charge and type: float32 `(B, N, 13)`."""
    columns = [*_scales(jets), jets.charge, *types(jets), *_directions(jets, mirrored=True)]
    return masked_stack(columns, jets.mask)


def full(jets: PaddedJets) -> Floats:
    """Momenta, charge, type and impact parameters: float32 `(B, N, 17)`."""
    displacements = [np.tanh(jets.d0), jets.d0_err.clip(0, 1), np.tanh(jets.dz), jets.dz_err.clip(0, 1)]
    columns = [*_scales(jets), jets.charge, *types(jets), *displacements, *_directions(jets, mirrored=True)]
    return masked_stack(columns, jets.mask)


def rs3l(jets: PaddedJets) -> Floats:
    """Momenta, charge, impact parameters and type: float32 `(B, N, 15)`."""
    log_pt, log_energy, log_pt_fraction, log_energy_fraction = _logarithms(jets)
    charged_hadron, neutral_hadron, photon, electron, muon = types(jets)
    d_eta, d_phi = _directions(jets, mirrored=False)
    columns = [log_pt, log_pt_fraction, d_eta, d_phi, log_energy, log_energy_fraction, jets.charge]
    columns += [np.tanh(jets.d0), np.tanh(jets.dz), np.hypot(d_eta, d_phi)]
    return masked_stack([*columns, photon, muon, electron, charged_hadron, neutral_hadron], jets.mask)


def _logarithms(jets: PaddedJets) -> tuple[Column, Column, Column, Column]:
    """Log pT, log E (GeV), log pT/pT_jet, log E/E_jet; of 1 GeV outside the mask."""
    pt, energy = np.where(jets.mask, jets.pt, 1), np.where(jets.mask, jets.energy, 1)
    fractions = (np.log(pt / jets.jet_pt[:, None]), np.log(energy / jets.jet_energy[:, None]))
    return np.log(pt), np.log(energy), *fractions


def _scales(jets: PaddedJets) -> list[Column]:
    """The five columns of `SCALES`: (value - offset) * factor, clipped."""
    log_pt, log_energy, log_pt_fraction, log_energy_fraction = _logarithms(jets)
    distance = np.hypot(*_directions(jets, mirrored=True))
    return [
        ((value - offset) * factor).clip(-CLIP, CLIP)
        for value, offset, factor in (
            (log_pt, 1.7, 0.7),
            (log_energy, 2.0, 0.7),
            (log_pt_fraction, -4.7, 0.7),
            (log_energy_fraction, -4.7, 0.7),
            (distance, 0.2, 4.0),
        )
    ]


def _directions(jets: PaddedJets, *, mirrored: bool) -> tuple[Column, Column]:
    """Delta eta from the jet's pseudorapidity, delta phi.

    Args:
        jets: B jets.
        mirrored: change the sign of delta eta for jets at eta <= 0, as JetClass does.
    """
    d_eta = jets.eta - jets.jet_eta[:, None]
    sign = np.where(jets.jet_eta > 0, 1, -1)[:, None] if mirrored else 1
    return sign * d_eta, wrap(jets.d_phi)
