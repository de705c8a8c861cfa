"""Input features of published taggers, with their names and scalings.

`kin`, `kinpid` and `full` are those of the Particle Transformer on JetClass (arXiv:2202.03772, table 2; names,
offsets, factors and order of the repository jet-universe/particle_transformer, data/JetClass/JetClass_*.yaml). They
are made for jets of 500-1000 GeV; delta eta is mirrored for jets at negative eta, as JetClass stores it.
`rs3l` is the input of RS3L (arXiv:2403.07066), not scaled; `omnilearned` that of OmniLearned (arXiv:2510.24066,
README of its package, "Dataset Contents"), as `resim export --format omnilearned` writes it.

Letters: T constituents of all jets.
"""

import numpy as np

from jetssl.data.columns import stacked, types
from jetssl.data.jets import Jets
from jetssl.data.kinematics import hypotenuse
from resim.common.arrays import Floats32, Integers

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
OMNILEARNED = ("d_eta", "d_phi", "log_pt", "log_energy", "type_number", "tanh_d0", "d0_err", "tanh_dz", "dz_err")
DISPLACEMENTS = ("d0", "d0_err", "dz", "dz_err")
"""Optional columns of the constituents: impact parameters and their errors, mm."""
CLIP = 5.0
"""weaver-core clips every scaled feature to +-5."""


def kin(jets: Jets) -> Floats32:
    """Momenta only: float32 `(T, 7)`."""
    directions = _directions(jets, mirrored=True)
    return stacked([*_scales(jets, *directions), *directions])


def kinpid(jets: Jets) -> Floats32:
    """Momenta, charge and type: float32 `(T, 13)`."""
    directions = _directions(jets, mirrored=True)
    return stacked([*_scales(jets, *directions), jets.other["charge"], *types(jets), *directions])


def full(jets: Jets) -> Floats32:
    """Momenta, charge, type and impact parameters: float32 `(T, 17)`."""
    directions = _directions(jets, mirrored=True)
    columns = [*_scales(jets, *directions), jets.other["charge"], *types(jets), *displacements(jets)]
    return stacked([*columns, *directions])


def rs3l(jets: Jets) -> Floats32:
    """Momenta, charge, impact parameters and type: float32 `(T, 15)`."""
    log_pt, log_energy, log_pt_fraction, log_energy_fraction = _logarithms(jets)
    charged_hadron, neutral_hadron, photon, electron, muon = types(jets)
    d_eta, d_phi = _directions(jets, mirrored=False)
    columns = [log_pt, log_pt_fraction, d_eta, d_phi, log_energy, log_energy_fraction, jets.other["charge"]]
    columns += [np.tanh(jets.other["d0"]), np.tanh(jets.other["dz"]), hypotenuse(d_eta, d_phi)]
    return stacked([*columns, photon, muon, electron, charged_hadron, neutral_hadron])


def omnilearned(jets: Jets) -> Floats32:
    """Momenta, a number for the type, and impact parameters with uncut errors: float32 `(T, 9)`; GeV and mm."""
    log_pt, log_energy, *_ = _logarithms(jets)
    d0, d0_err, dz, dz_err = (jets.other[name] for name in DISPLACEMENTS)
    kinematics = [*_directions(jets, mirrored=False), log_pt, log_energy]
    return stacked([*kinematics, _type_numbers(jets), np.tanh(d0), d0_err, np.tanh(dz), dz_err])


def _type_numbers(jets: Jets) -> Integers:
    """Place in the PDG ids -211, -13, -11, 11, 13, 22, 130, 211, int64 `(T,)`."""
    charged_hadron, neutral_hadron, photon, electron, muon = types(jets)
    positive = jets.other["charge"] > 0
    kinds = [photon, neutral_hadron, electron & positive, electron, muon & positive, muon, charged_hadron & positive]
    return np.select(kinds, [5, 6, 2, 3, 1, 4, 7], 0)


def displacements(jets: Jets) -> list[Floats32]:
    """JetClass's tanh d0, its error, tanh dz, its error (mm; errors cut at 1), each `(T,)`."""
    d0, d0_err, dz, dz_err = (jets.other[name] for name in DISPLACEMENTS)
    return [np.tanh(d0), d0_err.clip(0, 1), np.tanh(dz), dz_err.clip(0, 1)]


def _logarithms(jets: Jets) -> tuple[Floats32, Floats32, Floats32, Floats32]:
    """Log pT, log E (GeV), log pT/pT_jet, log E/E_jet."""
    log_pt, log_energy = np.log(jets.pt), np.log(jets.energy)
    fractions = (
        log_pt - jets.per_constituent(np.log(jets.jet_pt)),
        log_energy - jets.per_constituent(np.log(jets.jet_energy)),
    )
    return log_pt, log_energy, *fractions


def _scales(jets: Jets, d_eta: Floats32, d_phi: Floats32) -> list[Floats32]:
    """The five columns of `SCALES`: (value - offset) * factor, clipped."""
    log_pt, log_energy, log_pt_fraction, log_energy_fraction = _logarithms(jets)
    return [
        ((value - offset) * factor).clip(-CLIP, CLIP)
        for value, offset, factor in (
            (log_pt, 1.7, 0.7),
            (log_energy, 2.0, 0.7),
            (log_pt_fraction, -4.7, 0.7),
            (log_energy_fraction, -4.7, 0.7),
            (hypotenuse(d_eta, d_phi), 0.2, 4.0),
        )
    ]


def _directions(jets: Jets, *, mirrored: bool) -> tuple[Floats32, Floats32]:
    """Delta eta from the jet's pseudorapidity, delta phi.

    Args:
        jets: B jets.
        mirrored: change the sign of delta eta for jets at eta <= 0, as JetClass does.
    """
    d_eta = jets.d_eta + jets.per_constituent(jets.axis - jets.jet_eta)
    if mirrored:
        d_eta *= jets.per_constituent(np.where(jets.jet_eta > 0, np.float32(1), np.float32(-1)))
    return d_eta, jets.d_phi
