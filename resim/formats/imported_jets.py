"""Jets of others as a pair file has them: GeV and mm, absolute directions, descending pT, named classes."""

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays
from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.formats.clustered_events import clustered_events
from resim.formats.flat_columns import FlatColumns
from resim.formats.flat_jets import FlatJets, Names
from resim.formats.mapping_card import LabelsCard, MappingCard
from resim.formats.momenta import event_momenta, jet_momenta, momenta_of
from resim.formats.particle_types import displacements_of, particles_of
from resim.jets.substructure import substructure
from resim.pairfile import schema

_SUBSTRUCTURE = ("softdrop_mass", "tau1", "tau2", "tau3", "tau4")


def imported_jets(columns: FlatColumns, card: MappingCard) -> FlatJets:
    """The jets of a batch; of events, their hardest ones.

    Raises:
        InputError: the columns contradict the card, or each other.
    """
    parts = card.columns
    found = momenta_of(columns, parts.momenta, parts.jets)
    typed = bool(parts.particles.columns)
    types = particles_of(columns, parts.particles)
    types |= displacements_of(columns, parts.displacements, types["charge"], typed=typed)
    if card.cluster is not None:
        entry, members, offsets, jets = clustered_events(columns.counts, found, card.cluster)
    else:
        entry, offsets = np.arange(len(columns.counts)), offsets_of(columns.counts)
        if card.axis == "beam":
            jets = event_momenta(found, columns.counts)
        else:
            jets = jet_momenta(columns, found, parts.momenta, parts.jets)
        members = np.lexsort((-found["pt"], np.repeat(entry, columns.counts)))
    found = {name: values[members] for name, values in (found | types).items()}
    jets |= {"n_constituents": np.diff(offsets)} | _substructure(columns, offsets, found, card)
    _check_counts(columns, card)
    return FlatJets(
        offsets=offsets,
        constituents={column.name: found[column.name].astype(column.dtype) for column in schema.CONSTITUENTS},
        jets={column.name: jets[column.name].astype(column.dtype) for column in schema.JETS},
        label=_labels(columns, card.labels)[entry],
        entry=columns.entries[entry],
    )


def _substructure(columns: FlatColumns, offsets: npt.NDArray[np.int64], found: Arrays, card: MappingCard) -> Arrays:
    """Groomed mass and N-subjettiness: as the file says, else computed from the constituents."""
    given = {name: column for name, column in card.columns.jets.columns.items() if name in _SUBSTRUCTURE}
    read = {name: columns.numbers_of_jets(column) for name, column in given.items()}
    if "softdrop_mass" in read:
        read["softdrop_mass"] = np.maximum(read["softdrop_mass"] * card.columns.jets.scale, 0.0)
    if card.axis == "beam":
        return dict.fromkeys(_SUBSTRUCTURE, np.zeros(len(offsets) - 1))
    if len(read) == len(_SUBSTRUCTURE):
        return read
    pt, eta, phi = found["pt"], found["eta"], found["phi"]
    momenta = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "energy": found["energy"]}
    return {**substructure(offsets, momenta, card.jet_settings), **read}


def _check_counts(columns: FlatColumns, card: MappingCard) -> None:
    column = card.columns.jets.n_constituents
    if column is None:
        return
    said = columns.numbers_of_jets(column)
    if (wrong := said != columns.counts).any():
        jet = int(np.argmax(wrong))
        raise InputError(
            f"{columns.path}: {columns.jet(jet)} has {columns.counts[jet]} constituents, {column} says {said[jet]:g};"
            " correct `padding` in the mapping card, or take `n_constituents` out"
        )


def class_name(value: object) -> str:
    """Name of the class from a value of a column: text of HDF5 is bytes, and 10.0 is the class 10.

    >>> class_name(b"top"), class_name(10.0)
    ('top', '10')
    """
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _labels(columns: FlatColumns, card: LabelsCard) -> Names:
    n_jets = len(columns.counts)
    if card.all is not None:
        return np.full(n_jets, card.all)
    if card.flags is not None:
        flags = np.stack([columns.numbers_of_jets(column) != 0 for column in card.flags], axis=1)
        if (wrong := flags.sum(axis=1) != 1).any():
            jet = columns.jet(int(np.argmax(wrong)))
            raise InputError(
                f"{columns.path}: {jet} has not exactly one of the flags {', '.join(card.flags)}; correct `labels`"
            )
        return np.asarray(np.take([*card.flags.values()], flags.argmax(axis=1))).astype(str)
    values = columns.of_jets(str(card.column))
    if card.names is None:
        return np.array([class_name(value) for value in values.tolist()])
    if (wrong := ~np.isin(values, [*card.names])).any():
        place = int(np.argmax(wrong))
        raise InputError(
            f"{columns.path}: {card.column} is {values[place]} in {columns.jet(place)}, which has no name; add it to"
            " `labels.names` in the mapping card"
        )
    order = np.array(sorted(card.names))
    return np.array([card.names[value] for value in order.tolist()])[np.searchsorted(order, values)]
