"""Columns of jets in the layouts of others, by their names there."""

from typing import Final

import numpy as np
import numpy.typing as npt

from resim.common.angles import wrap
from resim.common.arrays import Arrays, Floats, Floats32, Integers
from resim.common.ragged import offsets_of, owners_of
from resim.formats.flat_jets import FlatJets
from resim.particles import particle_kinds

KINDS: Final = {
    "part_isChargedHadron": "charged hadron",
    "part_isNeutralHadron": "neutral hadron",
    "part_isPhoton": "photon",
    "part_isElectron": "electron",
    "part_isMuon": "muon",
}
"""JetClass's flag → kind of a constituent."""
_PIDS: Final = np.array([-211, -13, -11, 11, 13, 22, 130, 211])
"""What a detector can tell apart; OmniLearned numbers them in this order (its README, Dataset Contents)."""


def _deltas(jets: FlatJets) -> tuple[Floats, Floats]:
    """Delta eta and delta phi of the constituents from the jet axis, float64 `(n_constituents,)`."""
    axis = {name: jets.per_constituent(jets.jets[name].astype(np.float64)) for name in ("eta", "phi")}
    d_eta, d_phi = (jets.constituents[name] - axis[name] for name in ("eta", "phi"))
    return np.asarray(d_eta, np.float64), np.asarray(wrap(d_phi), np.float64)


def jetclass_jets(jets: FlatJets) -> Arrays:
    """JetClass's columns of jets, `jet_pt` ..., float32 `(n_jets,)`; GeV (arXiv:2202.03772)."""
    names = {"sdmass": "softdrop_mass", "nparticles": "n_constituents"}
    wanted = ("pt", "eta", "phi", "energy", "nparticles", "sdmass", "tau1", "tau2", "tau3", "tau4")
    return {f"jet_{name}": jets.jets[names.get(name, name)].astype(np.float32) for name in wanted}


def jetclass_particles(jets: FlatJets) -> Arrays:
    """JetClass's columns of constituents without their `part_`, float32 `(n_constituents,)`; GeV and mm.

    Delta eta has the opposite sign for jets at eta <= 0.
    """
    found = jets.constituents
    pt, eta, phi = (found[name].astype(np.float64) for name in ("pt", "eta", "phi"))
    d_eta, d_phi = _deltas(jets)
    sign = jets.per_constituent(np.where(jets.jets["eta"] > 0, 1.0, -1.0))
    columns: Arrays = {"part_px": pt * np.cos(phi), "part_py": pt * np.sin(phi), "part_pz": pt * np.sinh(eta)}
    columns |= {"part_energy": found["energy"], "part_deta": sign * d_eta, "part_dphi": d_phi}
    columns |= {"part_d0val": found["d0"], "part_d0err": found["d0_err"]}
    columns |= {"part_dzval": found["dz"], "part_dzerr": found["dz_err"], "part_charge": found["charge"]}
    kinds = particle_kinds(found["pdg_id"], found["charge"])
    columns |= {flag: kinds[kind] for flag, kind in KINDS.items()}
    return {name.removeprefix("part_"): values.astype(np.float32) for name, values in columns.items()}


def rs3l_features(jets: FlatJets) -> Floats32:
    """The 15 features of RS3L (arXiv:2403.07066), float32 `(n_constituents, 15)`; GeV and mm."""
    found, (d_eta, d_phi) = jets.constituents, _deltas(jets)
    logarithms = {name: np.log(found[name].astype(np.float64)) for name in ("pt", "energy")}
    of_jet = {name: jets.per_constituent(np.log(jets.jets[name].astype(np.float64))) for name in ("pt", "energy")}
    kinds = particle_kinds(found["pdg_id"], found["charge"])
    columns = [logarithms["pt"], logarithms["pt"] - of_jet["pt"], d_eta, d_phi]
    columns += [logarithms["energy"], logarithms["energy"] - of_jet["energy"], found["charge"]]
    columns += [np.tanh(found["d0"]), np.tanh(found["dz"]), np.hypot(d_eta, d_phi)]
    columns += [kinds[kind] for kind in ("photon", "muon", "electron", "charged hadron", "neutral hadron")]
    return np.stack(columns, axis=1, dtype=np.float32, casting="unsafe")


def omnilearned_features(jets: FlatJets) -> Floats32:
    """Features of a constituent for OmniLearned (arXiv:2510.24066), float32 `(n_constituents, 9)`; GeV and mm.

    Delta eta, delta phi, log pT, log E, type, tanh d0 and its error, tanh dz and its error.
    """
    found, (d_eta, d_phi) = jets.constituents, _deltas(jets)
    columns = [d_eta, d_phi, np.log(found["pt"]), np.log(found["energy"]), _type_numbers(jets)]
    columns += [np.tanh(found["d0"]), found["d0_err"], np.tanh(found["dz"]), found["dz_err"]]
    return np.stack(columns, axis=1, dtype=np.float32, casting="unsafe")


def _type_numbers(jets: FlatJets) -> Integers:
    """OmniLearned's number of the type: place in `_PIDS`."""
    found = jets.constituents
    charge = found["charge"].astype(np.int64)
    kinds = particle_kinds(found["pdg_id"], charge)
    pids = np.select(
        [kinds[kind] for kind in ("photon", "electron", "muon", "neutral hadron")],
        [22, -11 * charge, -13 * charge, 130],
        211 * np.sign(charge),
    )
    return np.searchsorted(_PIDS, pids)


def omnilearned_jets(jets: FlatJets) -> Floats32:
    """pT, eta, phi, mass and number of constituents of jets, float32 `(n_jets, 5)`: OmniLearned's `global`."""
    names = ("pt", "eta", "phi", "mass", "n_constituents")
    return np.stack([jets.jets[name] for name in names], axis=1, dtype=np.float32, casting="unsafe")


def padded(values: npt.NDArray[np.float32], counts: Integers, length: int) -> Floats32:
    """The hardest constituents of each jet, then zeros: `(n_constituents, F)` → `(n_jets, length, F)`.

    >>> padded(np.ones((5, 1), np.float32), np.array([2, 3]), 2)[..., 0].tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    owner, place = (
        owners_of(offsets_of(counts)),
        np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts),
    )
    result = np.zeros((len(counts), length, values.shape[1]), np.float32)
    kept = place < length
    result[owner[kept], place[kept]] = values[kept]
    return result
