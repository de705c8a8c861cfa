"""Jets of one view in flat arrays: what comes from a file of others, and what goes into one."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays, Integers
from resim.common.ragged import indices_of_ranges, offsets_of
from resim.pairfile import schema
from resim.pairfile.reader import PairFile

Names = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class FlatJets:
    """Some jets of one view, in their order in a file; none is empty.

    Attributes:
        offsets: int64 `(n_jets + 1,)`, constituents of jet i are `offsets[i]:offsets[i + 1]`.
        constituents: columns of `resim.pairfile.schema.CONSTITUENTS`, `(n_constituents,)` each, in its types.
        jets: columns of `resim.pairfile.schema.JETS`, `(n_jets,)` each, in its types.
        label: class names, `(n_jets,)`.
        entry: int64 `(n_jets,)`, number of the jet, or of its event, in the file; of a pair file, the row.
    """

    offsets: npt.NDArray[np.int64]
    constituents: Arrays
    jets: Arrays
    label: Names
    entry: Integers

    def __len__(self) -> int:
        """Number of jets."""
        return len(self.label)

    @property
    def counts(self) -> Integers:
        """Constituents of each jet, int64 `(n_jets,)`."""
        return np.diff(self.offsets)

    def per_constituent(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The value of its jet for every constituent: `(n_jets,)` → `(n_constituents,)`."""
        return np.repeat(values, self.counts)

    def take(self, index: Integers) -> "FlatJets":
        """Some of the jets, in the order of `index`, int64 `(n,)`."""
        counts = self.counts[index]
        where = indices_of_ranges(self.offsets[:-1][index], counts)
        return FlatJets(
            offsets=offsets_of(counts),
            constituents={name: values[where] for name, values in self.constituents.items()},
            jets={name: values[index] for name, values in self.jets.items()},
            label=self.label[index],
            entry=self.entry[index],
        )

    def identities(self) -> npt.NDArray[np.uint64]:
        """Which jet each is, uint64 `(n_jets,)`: a 64-bit BLAKE2b hash of pT, eta, phi, energy of its constituents.

        Equal jets of files of one format are equal, so they lie on one side of every split. Another format rounds
        otherwise, or keeps no azimuth: there the same jet has another identity. Jets of one entry, which is an event
        then, have the hash of all their constituents: they lie on one side, too.
        """
        momenta = np.stack([self.constituents[name] for name in ("pt", "eta", "phi", "energy")], axis=1)
        content = np.ascontiguousarray(momenta).view(np.uint8)
        first = np.flatnonzero(np.diff(self.entry, prepend=-1))  # jet of each entry
        bounds = [*self.offsets[first].tolist(), len(content)]
        pieces = (content[start:stop].tobytes() for start, stop in pairwise(bounds))
        hashes = [hashlib.blake2b(piece, digest_size=8, person=b"resim jet").digest() for piece in pieces]
        return np.repeat(np.frombuffer(b"".join(hashes), "<u8"), np.diff(first, append=len(self)))


def jets_of_view(file: PairFile, view: str, start: int, stop: int) -> FlatJets:
    """The valid jets of rows `start:stop` in a view; `entry` is the row."""
    rows = slice(start, stop)
    valid = file.read(f"views/{view}/valid", rows)
    bounds = file.offsets(view, slice(start, stop + 1))
    part = slice(int(bounds[0]), int(bounds[-1]))
    return FlatJets(
        offsets=offsets_of(np.diff(bounds)[valid]),
        constituents={column.name: file.constituents(view, column.name, part) for column in schema.CONSTITUENTS},
        jets={column.name: file.read(f"views/{view}/jets/{column.name}", rows)[valid] for column in schema.JETS},
        label=file.label_names(rows)[valid],
        entry=start + np.flatnonzero(valid),
    )


def concatenated(pieces: Sequence[FlatJets]) -> FlatJets:
    """All jets of some pieces, in their order."""
    return FlatJets(
        offsets=offsets_of(np.concatenate([piece.counts for piece in pieces])),
        constituents={
            c.name: np.concatenate([piece.constituents[c.name] for piece in pieces]) for c in schema.CONSTITUENTS
        },
        jets={c.name: np.concatenate([piece.jets[c.name] for piece in pieces]) for c in schema.JETS},
        label=np.concatenate([piece.label for piece in pieces]),
        entry=np.concatenate([piece.entry for piece in pieces]),
    )
