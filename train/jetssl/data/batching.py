"""Ragged jets to padded arrays, vectorized; a boolean mask says what is real, values never do.

Letters: B jets, N constituents of the batch's longest jet.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.data.pairs import Booleans, Floats, Integers, PairTable
from resim.angles import wrap

IMPACT_PARAMETERS = ("d0", "d0_err", "dz", "dz_err")


@dataclass(frozen=True, slots=True)
class PaddedJets:
    """Constituents relative to their jet axis; entries outside `mask` are 0 and mean nothing."""

    pt: Floats
    """float32 `(B, N)`, GeV"""
    d_eta: Floats
    """float32 `(B, N)`, eta minus the rapidity of the jet: constituents are nearly massless, the jet is not, and
    with its pseudorapidity they would lie off centre by an amount that tells |eta| and m/pT"""
    d_phi: Floats
    """float32 `(B, N)`, rad, phi minus that of the jet axis, wrapped to [-pi, pi)"""
    mass: Floats
    """float32 `(B, N)`, GeV"""
    charge: npt.NDArray[np.int8]
    """int8 `(B, N)`, e"""
    pdg_id: npt.NDArray[np.int32]
    """int32 `(B, N)`"""
    d0: Floats
    """float32 `(B, N)`, mm, transverse impact parameter"""
    d0_err: Floats
    """float32 `(B, N)`, mm"""
    dz: Floats
    """float32 `(B, N)`, mm, longitudinal impact parameter"""
    dz_err: Floats
    """float32 `(B, N)`, mm"""
    mask: Booleans
    """bool `(B, N)`, True for the first constituents of each jet"""
    jet_pt: Floats
    """float32 `(B,)`, GeV"""
    jet_energy: Floats
    """float32 `(B,)`, GeV"""
    jet_eta: Floats
    """float32 `(B,)`, pseudorapidity of the jet"""
    axis: Floats
    """float32 `(B,)`, rapidity of the jet, which `d_eta` is measured from"""

    def take(self, index: Integers) -> "PaddedJets":
        """Some of the jets, in the order of `index`, padded to the longest of them."""
        longest = int(self.mask[index].sum(1).max(initial=0))
        columns = (getattr(self, field.name)[index] for field in fields(self))
        return PaddedJets(*(column[:, :longest] if column.ndim == 2 else column for column in columns))

    @property
    def eta(self) -> Floats:
        """Pseudorapidity of the constituents, float32 `(B, N)`, 0 outside the mask."""
        return np.where(self.mask, self.d_eta + self.axis[:, None], np.float32(0))

    @property
    def energy(self) -> Floats:
        """Energy of the constituents in GeV, float32 `(B, N)`; follows every change of the others."""
        p_z = self.pt * np.sinh(self.eta)
        return np.asarray(np.sqrt(self.mass**2 + self.pt**2 + p_z**2), np.float32)


def pad(values: npt.NDArray[Any], starts: Integers, counts: Integers) -> npt.NDArray[Any]:
    """Cut ragged ranges out of a flat array and pad them with zeros to the longest.

    Args:
        values: flat array `(C,)`.
        starts: first element of each range, `(B,)`.
        counts: length of each range, `(B,)`.

    Returns:
        `(B, max(counts))`, dtype of `values`.

    >>> pad(np.array([1, 2, 3, 4, 5]), np.array([3, 0]), np.array([2, 3])).tolist()
    [[4, 5, 0], [1, 2, 3]]
    """
    inside = mask_of(counts)
    padded = np.zeros(inside.shape, values.dtype)
    padded[inside] = values[(starts[:, None] + np.arange(inside.shape[1]))[inside]]
    return padded


def mask_of(counts: Integers) -> Booleans:
    """True for the first `counts[i]` entries of row i; bool `(B, max(counts))`."""
    longest = int(counts.max()) if len(counts) else 0
    return np.asarray(np.arange(longest) < counts[:, None], np.bool_)


def gather_jets(table: PairTable, view: Integers, row: Integers) -> PaddedJets:
    """The jets of some (view, row) combinations, which must be valid.

    Args:
        table: where to read.
        view: index of the view of each jet, int64 `(B,)`.
        row: its row, int64 `(B,)`.
    """
    starts, counts, flat = table.starts[view, row], table.counts[view, row], table.constituents
    mask = mask_of(counts)
    pt, eta, energy = (pad(column, starts, counts) for column in (flat.pt, flat.eta, flat.energy))
    jet_pt, jet_mass = table.jets.pt[view, row], table.jets.mass[view, row]
    rapidity = np.arcsinh(jet_pt * np.sinh(table.jets.eta[view, row]) / np.hypot(jet_pt, jet_mass))
    d_phi = pad(flat.phi, starts, counts) - table.jets.phi[view, row][:, None]
    # E and p are stored in single precision: massless particles come out with m^2 of either sign.
    mass_squared = np.square(energy, dtype=np.float64) - np.square(pt * np.cosh(eta, dtype=np.float64))
    return PaddedJets(
        pt=pt,
        d_eta=np.where(mask, eta - rapidity[:, None], 0).astype(np.float32),
        d_phi=np.where(mask, wrap(d_phi), 0).astype(np.float32),
        mass=np.sqrt(np.maximum(mass_squared, 0)).astype(np.float32),
        **{name: pad(getattr(flat, name), starts, counts) for name in ("charge", "pdg_id", *IMPACT_PARAMETERS)},
        mask=mask,
        jet_pt=jet_pt,
        jet_energy=table.jets.energy[view, row],
        jet_eta=table.jets.eta[view, row],
        axis=rapidity,
    )
