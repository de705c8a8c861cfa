"""Live views that are hadronized anew in every epoch: the parton shower of a stored view with other hadrons.

What Pythia, clustering and matching do is `resim`, as in a stored view with `freeze: parton_shower`. A detector then
sees the particles of the jet, if there is one (`jetssl.data.live`).

Letters: B jets, R rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from jetssl.data.jet_table import OPTIONAL_COLUMNS, JetTable, jets_of
from jetssl.data.jets import Jets, concatenate, gather_jets
from jetssl.data.live import Exposure, Observer, key_of, particles_of
from jetssl.data.reading import Place
from resim.common.arrays import Integers
from resim.common.errors import InputError
from resim.run.rehadronize import Rehadronizer

_ATTEMPTS: Final = 16
"""Hadronizations of a row until one has a jet inside the cuts; near the cut on pT some have none."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Jets that are to be hadronized anew, and where their random numbers come from."""

    view: Integers
    """int64 `(B,)`, index of the stored view of which each jet keeps the parton shower"""
    row: Integers
    """int64 `(B,)`, its row in the files"""
    place: Integers
    """int64 `(B,)`, which jet of the row it is: 0 or 1"""
    key: int
    """64 bits, of (seed, pass, epoch)"""


def asked(view: Integers, of_row: Integers, address: tuple[int, int, int]) -> Asked:
    """As many jets of one place as of the other.

    Args:
        view: index of the view of each jet, int64 `(B,)`: first those of the first jets of the rows, and so on.
        of_row: the rows in the files, int64, each once.
        address: seed, pass (`jetssl.common.seeds.Stream`) and epoch.
    """
    places = len(view) // len(of_row)
    return Asked(view, np.tile(of_row, places), np.repeat(np.arange(places), len(of_row)), key_of(address))


@dataclass(frozen=True, slots=True)
class _Made:
    """Some of the jets that were asked for."""

    which: Integers
    """which of them"""
    table: JetTable
    view: Integers
    """where they are in the table"""
    row: Integers


class Hadronizer:
    """Hadronizes parton showers anew.

    Args:
        place: where the rows are.
        observer: the detector that sees the jets; None: they are shown as they are.

    Raises:
        InputError: as `Rehadronizer`.
    """

    def __init__(self, place: Place, observer: Observer | None) -> None:
        self._views, self._observer = place.views, observer
        self._starts = np.cumsum([0, *place.sizes])
        self._files = [Rehadronizer(Path(path)) for path in place.paths]
        for file in self._files:
            file.require(self._views)

    def __call__(self, wanted: Asked) -> Jets:
        """B jets with all `OPTIONAL_COLUMNS`; what has no jet is hadronized once more, as rows are those with one.

        Raises:
            InputError: a row has no jet in any attempt.
        """
        waiting, found, order = np.arange(len(wanted.row)), list[Jets](), [np.empty(0, np.int64)]
        for attempt in range(_ATTEMPTS):
            made = list(self._made(wanted, waiting, attempt))
            found += [self._seen(part, wanted) for part in made]
            order += [part.which for part in made]
            waiting = np.setdiff1d(waiting, np.concatenate(order))
            if not len(waiting):
                return concatenate(found).take(np.argsort(np.concatenate(order)))
        raise InputError(
            f"row {wanted.row[waiting[0]]}: {_ATTEMPTS} hadronizations leave no jet inside the cuts of the generation"
            " card; lower its jets.pt_min"
        )

    def _made(self, wanted: Asked, waiting: Integers, attempt: int) -> Iterator[_Made]:
        """Those of the waiting jets that are inside the cuts in this attempt, file by file and view by view."""
        file = np.searchsorted(self._starts, wanted.row[waiting], side="right") - 1
        for number, view in sorted(set(zip(file.tolist(), wanted.view[waiting].tolist(), strict=True))):
            which = waiting[(file == number) & (wanted.view[waiting] == view)]
            rows, row = np.unique(wanted.row[which], return_inverse=True)
            places, place = np.unique(wanted.place[which], return_inverse=True)
            names = [f"live-{wanted.key:016x}-{which_jet}-{attempt}" for which_jet in places]
            for made in self._files[number].rows(rows - self._starts[number], self._views[view], names):
                in_block = np.full(len(rows), -1)
                in_block[made.which] = made.place
                valid = np.stack([made.block.arrays[f"views/{name}/valid"] for name in names])
                good = (in_block[row] >= 0) & valid[place, in_block[row]]
                if good.any():
                    table = jets_of(made.block, names, OPTIONAL_COLUMNS)
                    yield _Made(which[good], table, place[good], in_block[row[good]])

    def _seen(self, made: _Made, wanted: Asked) -> Jets:
        if self._observer is None:
            return gather_jets(made.table, made.view, made.row)
        particles = particles_of(made.table, made.view, made.row)
        return self._observer(Exposure(particles, wanted.key, wanted.row[made.which], wanted.place[made.which]))
