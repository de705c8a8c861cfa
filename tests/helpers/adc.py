"""Toy events in the layout of ADC 2021: 19 places for missing energy, 4 electrons, 4 muons and 10 jets."""

from pathlib import Path

import h5py
import numpy as np

from jetssl.data.jets import Jets

KINDS = np.repeat([1, 2, 3, 4], [1, 4, 4, 10])
"""Missing energy, electrons, muons, jets."""
PDG_IDS = np.array([0, 22, 11, 13, 0])
"""That stand for them after the import."""
THRESHOLDS = np.array([0.0, 0.0, 3.0, 3.0, 15.0])
"""GeV, of each kind."""


def toy_events(rng: np.random.Generator, size: int, scale: float = 40.0) -> np.ndarray:
    """Objects (pT in GeV, eta, phi, kind), `(size, 19, 4)`: half of the places are filled, missing energy always."""
    pt = np.where(rng.random((size, 19)) < 0.5, rng.exponential(scale, (size, 19)) + THRESHOLDS[KINDS] + 1, 0)
    pt[:, 0] = rng.exponential(scale, size) + 1
    eta = np.where(KINDS == 1, 0, rng.uniform(-2, 2, (size, 19))) * (pt > 0)
    return np.stack([pt, eta, rng.uniform(-np.pi, np.pi, (size, 19)) * (pt > 0), KINDS * (pt > 0)], axis=-1)


def write_adc(path: Path, objects: np.ndarray) -> Path:
    """A file as it is published."""
    with h5py.File(path, "w") as file:
        file["Particles"] = objects
        file["Particles_Names"] = np.array([b"Pt", b"Eta", b"Phi", b"Class"])
        file["Particles_Classes"] = np.array(
            [b"MET_class_1", b"Four_Ele_class_2", b"Four_Mu_class_3", b"Ten_Jet_class_4"]
        )
    return path


def as_jets(objects: np.ndarray) -> Jets:
    """The events as the trainer has them after the import."""
    events = [event[event[:, 0] > 0] for event in objects]
    flat = np.concatenate([event[np.argsort(-event[:, 0])] for event in events])
    pt, eta, phi = flat[:, :3].T.astype(np.float32)
    kind, counts = flat[:, 3].astype(int), np.array([len(event) for event in events])
    zeros = np.zeros(len(events), np.float32)
    jet_pt, jet_energy = np.array([whole(event) for event in events], np.float32).T
    return Jets(
        pt=pt,
        d_eta=eta,
        d_phi=phi,
        mass=np.zeros_like(pt),
        other={
            "charge": np.where((kind == 2) | (kind == 3), -1, 0).astype(np.int8),
            "pdg_id": PDG_IDS[kind].astype(np.int32),
        },
        counts=counts,
        jet_pt=jet_pt,
        jet_energy=jet_energy,
        jet_eta=zeros,
        axis=zeros,
    )


def whole(objects: np.ndarray) -> tuple[float, float]:
    """Scalar sum of pT, and the energy in GeV of that along eta = 0 with the mass of all objects, of `(n, >= 3)`."""
    pt, eta, phi = objects[:, :3].T
    total = [(pt * part).sum() for part in (np.cosh(eta), np.cos(phi), np.sin(phi), np.sinh(eta))]
    return pt.sum(), np.sqrt(pt.sum() ** 2 + total[0] ** 2 - sum(part**2 for part in total[1:]))
