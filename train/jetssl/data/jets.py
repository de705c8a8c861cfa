"""A batch of jets without padding: constituents of jet 0, then those of jet 1, and so on.

Half of a padded batch is padding, so everything up to the tensors (`jetssl.data.tensors`) works on flat columns.

Letters: B jets, T constituents of all of them together.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from jetssl.data.jet_table import JetTable
from jetssl.data.kinematics import energies, masses, sinh, wrapped
from jetssl.data.parts import KIND, Kind
from resim.common.arrays import Floats32, Integers
from resim.common.ragged import indices_of_ranges

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Jets:
    """Constituents relative to their jet axis, in descending pT within each jet."""

    pt: Floats32
    """float32 `(T,)`, GeV"""
    d_eta: Floats32
    """float32 `(T,)`, eta minus the rapidity of the jet. Constituents are nearly massless, the jet is not: minus its
    pseudorapidity, their centre would be shifted by an amount that depends on |eta| and m/pT"""
    d_phi: Floats32
    """float32 `(T,)`, rad, phi minus that of the jet axis, in [-pi, pi)"""
    mass: Floats32
    """float32 `(T,)`, GeV"""
    other: Mapping[str, npt.NDArray[Any]]
    """those of the optional columns of `jetssl.data.jet_table` that were read, each `(T,)`; asking for another one is
    a KeyError"""
    counts: Integers
    """int64 `(B,)`, constituents of each jet, at least 1"""
    jet_pt: Floats32
    """float32 `(B,)`, GeV"""
    jet_energy: Floats32
    """float32 `(B,)`, GeV"""
    jet_eta: Floats32
    """float32 `(B,)`, pseudorapidity of the jet"""
    axis: Floats32
    """float32 `(B,)`, rapidity of the jet: `d_eta` = eta - `axis`"""

    @property
    def starts(self) -> Integers:
        """First, and hardest, constituent of each jet: int64 `(B,)`."""
        return np.asarray(np.cumsum(self.counts) - self.counts, np.int64)

    @property
    def eta(self) -> Floats32:
        """Pseudorapidity of the constituents, float32 `(T,)`."""
        return np.asarray(self.d_eta + self.per_constituent(self.axis))

    @property
    def energy(self) -> Floats32:
        """Energy of the constituents in GeV, float32 `(T,)`, computed from pT, eta and mass."""
        return energies(self.pt, self.mass, self.pt * sinh(self.eta))

    def per_constituent(self, values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """The value of its jet for every constituent: `(B,)` → `(T,)`."""
        return np.repeat(values, self.counts)

    def sums(self, values: Floats32) -> Floats32:
        """Sum over the constituents of each jet, added up in double precision: `(T,)` → float32 `(B,)`."""
        return np.add.reduceat(values, self.starts, dtype=np.float64).astype(np.float32)

    def extents(self, values: Floats32) -> Floats32:
        """Largest minus smallest value in each jet: float32 `(T,)` → `(B,)`."""
        starts = self.starts
        return np.asarray(np.maximum.reduceat(values, starts) - np.minimum.reduceat(values, starts))

    def take(self, index: Integers) -> "Jets":
        """Some of the jets, in the order of `index`, int64 `(B',)`."""
        constituents = self.select(indices_of_ranges(self.starts[index], self.counts[index]), self.counts[index])
        per_jet = {name: getattr(self, name)[index] for name in ("jet_pt", "jet_energy", "jet_eta", "axis")}
        return replace(constituents, **per_jet)

    def select(self, constituents: Integers, counts: Integers) -> "Jets":
        """The same jets with some of their constituents; properties of the jet as a whole stay.

        Args:
            constituents: indices of those of the first jet, then of the next, ...: int64 `(T',)`.
            counts: how many each jet gets, int64 `(B,)`; 1 at least.
        """
        kept = {name: getattr(self, name).take(constituents) for name in ("pt", "d_eta", "d_phi", "mass")}
        other = {name: values.take(constituents) for name, values in self.other.items()}
        return replace(self, **kept, other=other, counts=counts)


def gather_jets(table: JetTable, view: Integers, row: Integers) -> Jets:
    """The jets of some (view, row) combinations, which must be valid.

    Args:
        table: where to read.
        view: index of the view of each jet, int64 `(B,)`.
        row: its row, int64 `(B,)`.
    """
    counts, flat, jets = table.counts[view, row], table.constituents, table.jets
    where = indices_of_ranges(table.starts[view, row], counts)
    pt, eta, phi, energy = (column.take(where) for column in (flat.pt, flat.eta, flat.phi, flat.energy))
    jet_pt, jet_eta = jets.pt[view, row], jets.eta[view, row]
    rapidity = np.arcsinh(jet_pt * np.sinh(jet_eta) / np.hypot(jet_pt, jets.mass[view, row]))
    return Jets(
        pt=pt,
        d_eta=eta - np.repeat(rapidity, counts),
        d_phi=wrapped(phi - np.repeat(jets.phi[view, row], counts)),
        mass=masses(pt, eta, energy),
        other={name: column.take(where) for name, column in flat.other.items()},
        counts=counts,
        jet_pt=jet_pt,
        jet_energy=jets.energy[view, row],
        jet_eta=jet_eta,
        axis=rapidity,
    )


def of_kinds(jets: Jets, kinds: Collection[Kind]) -> Jets:
    """The jets with some of what they are made of; a jet that has none of it keeps its first constituent."""
    if KIND not in jets.other:
        return jets
    kept = np.isin(jets.other[KIND], list(kinds))
    counts = np.add.reduceat(kept, jets.starts, dtype=np.int64)
    kept[jets.starts[counts == 0]] = True
    return jets.select(np.flatnonzero(kept), np.maximum(counts, 1))


def constituents_of(jets: Jets) -> Jets:
    """The jets with their constituents alone."""
    return of_kinds(jets, (Kind.CONSTITUENT,))


def concatenate(batches: Sequence[Jets]) -> Jets:
    """All jets of some batches, which hold the same optional columns, in their order."""
    names = [field.name for field in fields(Jets) if field.name != "other"]
    columns = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in names}
    other = {name: np.concatenate([batch.other[name] for batch in batches]) for name in batches[0].other}
    return Jets(**columns, other=other)
