"""Jets of others in the conventions of the pair file: GeV and mm, absolute directions, descending pT, named classes."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays, Integers
from resim.common.errors import InputError
from resim.common.ragged import indices_of_ranges, offsets_of
from resim.formats.flat_columns import FlatColumns
from resim.formats.mapping_card import LabelsCard, MappingCard
from resim.formats.momenta import jet_momenta, momenta_of
from resim.formats.particle_types import displacements_of, particles_of
from resim.jets.substructure import substructure
from resim.pairfile import schema

Names = npt.NDArray[np.str_]
_SUBSTRUCTURE = ("softdrop_mass", "tau1", "tau2", "tau3", "tau4")


@dataclass(frozen=True, slots=True)
class ImportedJets:
    """Some consecutive jets of a file, without those that have no constituents.

    Attributes:
        offsets: int64 `(n_jets + 1,)`, constituents of jet i are `offsets[i]:offsets[i + 1]`.
        constituents: columns of `resim.pairfile.schema.CONSTITUENTS`, `(n_constituents,)` each, in its types.
        jets: columns of `resim.pairfile.schema.JETS`, `(n_jets,)` each, in its types.
        label: class names, `(n_jets,)`.
        entry: int64 `(n_jets,)`, number of the jet in its file.
    """

    offsets: npt.NDArray[np.int64]
    constituents: Arrays
    jets: Arrays
    label: Names
    entry: Integers

    def __len__(self) -> int:
        """Number of jets."""
        return len(self.label)

    def take(self, index: Integers) -> "ImportedJets":
        """Some of the jets, in the order of `index`, int64 `(n,)`."""
        counts = np.diff(self.offsets)[index]
        where = indices_of_ranges(self.offsets[:-1][index], counts)
        return ImportedJets(
            offsets=offsets_of(counts),
            constituents={name: values[where] for name, values in self.constituents.items()},
            jets={name: values[index] for name, values in self.jets.items()},
            label=self.label[index],
            entry=self.entry[index],
        )

    def identities(self) -> npt.NDArray[np.uint64]:
        """Which jet each is, uint64 `(n_jets,)`: the 64-bit BLAKE2b hash of pT, eta, phi and energy of its constituents.

        Equal jets are equal, whatever file they are read from, so they lie on one side of every split.
        """
        momenta = np.stack([self.constituents[name] for name in ("pt", "eta", "phi", "energy")], axis=1)
        content = np.ascontiguousarray(momenta).view(np.uint8).reshape(len(momenta), -1)
        pieces = (content[start:stop].tobytes() for start, stop in zip(self.offsets, self.offsets[1:], strict=False))
        hashes = [hashlib.blake2b(piece, digest_size=8, person=b"resim jet").digest() for piece in pieces]
        return np.frombuffer(b"".join(hashes), "<u8")


def imported_jets(columns: FlatColumns, card: MappingCard) -> ImportedJets:
    """The jets of a batch.

    Raises:
        InputError: the columns contradict the card, or each other.
    """
    parts = card.columns
    found = momenta_of(columns, parts.momenta, parts.jets)
    jets = jet_momenta(columns, found, parts.momenta, parts.jets)
    found |= particles_of(columns, parts.particles)
    typed = bool(parts.particles.columns)
    found |= displacements_of(columns, parts.displacements, found["charge"], typed=typed)
    order = np.lexsort((-found["pt"], np.repeat(np.arange(len(columns.counts)), columns.counts)))
    offsets = offsets_of(columns.counts)
    found = {name: values[order] for name, values in found.items()}
    jets |= {"n_constituents": columns.counts} | _substructure(columns, offsets, found, card)
    _check_counts(columns, card)
    return ImportedJets(
        offsets=offsets,
        constituents={column.name: found[column.name].astype(column.dtype) for column in schema.CONSTITUENTS},
        jets={column.name: jets[column.name].astype(column.dtype) for column in schema.JETS},
        label=_labels(columns, card.labels),
        entry=columns.entries,
    )


def _substructure(columns: FlatColumns, offsets: npt.NDArray[np.int64], found: Arrays, card: MappingCard) -> Arrays:
    """Groomed mass and N-subjettiness: as the file says, else computed from the constituents."""
    given = {name: column for name, column in card.columns.jets.columns.items() if name in _SUBSTRUCTURE}
    read = {name: columns.of_jets(column).astype(np.float64) for name, column in given.items()}
    if "softdrop_mass" in read:
        read["softdrop_mass"] = np.maximum(read["softdrop_mass"] * card.columns.jets.scale, 0.0)
    if len(read) == len(_SUBSTRUCTURE):
        return read
    pt, eta, phi = found["pt"], found["eta"], found["phi"]
    momenta = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "energy": found["energy"]}
    return {**substructure(offsets, momenta, card.substructure), **read}


def _check_counts(columns: FlatColumns, card: MappingCard) -> None:
    column = card.columns.jets.n_constituents
    if column is None:
        return
    said = columns.of_jets(column)
    if (wrong := said != columns.counts).any():
        jet = int(np.argmax(wrong))
        raise InputError(
            f"{columns.path}: {columns.jet(jet)} has {columns.counts[jet]} constituents, and {column} says {said[jet]};"
            " correct `padding` in the mapping card, or take `n_constituents` out"
        )


def _labels(columns: FlatColumns, card: LabelsCard) -> Names:
    n_jets = len(columns.counts)
    if card.all is not None:
        return np.full(n_jets, card.all)
    if card.flags is not None:
        flags = np.stack([columns.of_jets(column) != 0 for column in card.flags], axis=1)
        if (wrong := flags.sum(axis=1) != 1).any():
            jet = columns.jet(int(np.argmax(wrong)))
            raise InputError(f"{columns.path}: {jet} has not exactly one of the flags {', '.join(card.flags)}; correct `labels`")
        return np.array([*card.flags.values()])[flags.argmax(axis=1)]
    values = columns.of_jets(str(card.column))
    if card.names is None:
        return values.astype(str)
    if (wrong := ~np.isin(values, [*card.names])).any():
        place = int(np.argmax(wrong))
        raise InputError(
            f"{columns.path}: {card.column} is {values[place]} in {columns.jet(place)}, which has no name; add it to"
            " `labels.names` in the mapping card"
        )
    order = np.array(sorted(card.names))
    return np.array([card.names[value] for value in order.tolist()])[np.searchsorted(order, values)]
