"""Live views: the detector stage of every jet anew in every epoch, from its stored generated particles.

What the detector does is `resim.detector`, as in a stored view. It sees the particles of the generated jet alone; the
jet is then what it measures of them within the radius of their sum (docs/training.md).

Letters: B jets, T constituents of all of them together.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from jetssl.common.seeds import Stream, torch_seed
from jetssl.data.jet_table import OPTIONAL_COLUMNS, JetTable
from jetssl.data.jets import Jets
from jetssl.data.kinematics import masses, wrapped
from jetssl.data.rows import Rows
from resim.card.jet_settings import JetSettings
from resim.card.stages import NO_DETECTOR
from resim.common.arrays import Floats, Integers
from resim.common.errors import InputError
from resim.common.ragged import indices_of_ranges, offsets_of, owners_of
from resim.detector.detector import Detector
from resim.detector.random import philox
from resim.jets.matching import delta_r
from resim.pairfile.reader import PairFile
from resim.particles import Candidates, Particles

PARTICLE_COLUMNS: Final = ("charge", "pdg_id", "d0", "dz")
"""Columns of the constituents that the detector needs."""
_ATTEMPTS: Final = 16
"""Detectors that a jet is shown to until one sees anything of it: a lone muon is lost in one of 20."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Generated jets that a detector is to see, and where its random numbers come from."""

    particles: Particles
    """an event for each of B jets"""
    key: int
    """64 bits, of (seed, pass, epoch)"""
    row: Integers
    """int64 `(B,)`, row of each jet"""
    place: Integers
    """int64 `(B,)`, which jet of the row it is: 0 or 1"""

    def seeds(self, attempt: int) -> npt.NDArray[np.uint64]:
        """Seeds of the detector, uint64 `(B,)`: they depend on key, row, place and attempt, not on the batch."""
        row, low = self.row.astype(np.uint64), np.uint64(0xFFFFFFFF)
        last = np.full_like(row, attempt)
        key = tuple(np.full_like(row, word) for word in (self.key & 0xFFFFFFFF, self.key >> 32))
        counter = (row & low, row >> np.uint64(32), self.place.astype(np.uint64), last)
        first, second, _, _ = philox(counter, (key[0], key[1]))
        return np.asarray(first | second << np.uint64(32))

    def take(self, jets: Integers) -> "Exposure":
        """Some of the jets, in the order of `jets`, int64 `(B',)`."""
        offsets = self.particles.offsets
        counts = np.diff(offsets)[jets]
        chosen = self.particles.take(indices_of_ranges(offsets[jets], counts), offsets_of(counts))
        return Exposure(chosen, self.key, self.row[jets], self.place[jets])


def exposure(
    table: JetTable, view: Integers, row: Integers, of_row: Integers, address: tuple[int, int, int]
) -> Exposure:
    """The generated jets of some (view, row) combinations, as many of one as of the other jet of a row.

    Args:
        table: jets of generated particles, with `PARTICLE_COLUMNS`.
        view: index of the view of each jet, int64 `(B,)`: first those of the first jets of the rows, and so on.
        row: its row in the table, int64 `(B,)`.
        of_row: the rows in the files, int64, each once.
        address: seed, pass (`jetssl.common.seeds.Stream`) and epoch.
    """
    places = len(row) // len(of_row)
    place = np.repeat(np.arange(places), len(of_row))
    return Exposure(particles_of(table, view, row), key_of(address), np.tile(of_row, places), place)


def key_of(address: tuple[int, int, int]) -> int:
    """The 64 bits that live views of an epoch depend on; of seed, pass and epoch."""
    seed, stream, epoch = address
    return torch_seed(seed, Stream.DETECTOR, stream, epoch)


def particles_of(table: JetTable, view: Integers, row: Integers) -> Particles:
    """The particles of some (view, row) combinations, int64 `(B,)` each, jet by jet.

    The vertex of a particle is put where it is nearest to the beam: d0 and dz are all that is stored of it.
    """
    counts, flat = table.counts[view, row], table.constituents
    where = indices_of_ranges(table.starts[view, row], counts)
    pt, eta, phi, energy = (column.take(where) for column in (flat.pt, flat.eta, flat.phi, flat.energy))
    mass = masses(pt, eta, energy).astype(np.float64)
    along_x, along_y = np.cos(phi, dtype=np.float64), np.sin(phi, dtype=np.float64)
    transverse: Floats = pt.astype(np.float64)
    px, py, pz = transverse * along_x, transverse * along_y, transverse * np.sinh(eta, dtype=np.float64)
    charge, pdg_id, d0, dz = (flat.other[name].take(where) for name in PARTICLE_COLUMNS)
    return Particles(
        offsets=offsets_of(counts),
        px=px,
        py=py,
        pz=pz,
        energy=np.sqrt(px**2 + py**2 + pz**2 + mass**2),
        mass=mass,
        pdg_id=pdg_id.astype(np.int32),
        charge=charge.astype(np.float64),
        vx=d0 * along_y,
        vy=-d0 * along_x,
        vz=dz.astype(np.float64),
    )


class Observer:
    """A detector that is shown jets of generated particles.

    Args:
        card: Delphes card without pile-up.
        radius: of the jets, R.

    Raises:
        InputError: the card is wrong, is that of a calorimeter of cells, or wants pile-up.
    """

    def __init__(self, card: Path, radius: float) -> None:
        self._detector, self._radius = Detector.from_card(card), radius
        self._detector.require_pileup()

    def __call__(self, shown: Exposure) -> Jets:
        """What is measured of the jets: B jets with all `OPTIONAL_COLUMNS`.

        A jet of which nothing is seen is shown again: as in stored views, only jets that are there are looked at.

        Raises:
            InputError: nothing of a jet is seen in any attempt.
        """
        waiting = np.arange(len(shown.row))
        found: list[tuple[Integers, Candidates]] = []
        for attempt in range(_ATTEMPTS):
            part = shown.take(waiting)
            candidates = self._detector.run(part.particles, part.seeds(attempt))
            seen = np.diff(candidates.offsets) > 0
            found.append((waiting[seen], candidates.take(np.arange(candidates.offsets[-1]), candidates.offsets)))
            waiting = waiting[~seen]
            if not len(waiting):
                return _jets(found, self._radius)
        raise InputError(
            f"row {shown.row[waiting[0]]}: views.live.detector sees nothing of its jet; raise jets.pt_min of the"
            " generation card, or choose another detector"
        )


def _jets(found: list[tuple[Integers, Candidates]], radius: float) -> Jets:
    """The candidates within the radius of their sum in (rapidity, azimuth), by descending pT, jet by jet.

    Args:
        found: jets, int64, and the candidates of these and of others that have none, in ascending order.
        radius: R.
    """
    owner = np.concatenate([jets[_ranks(candidates)] for jets, candidates in found])
    columns = {name: np.concatenate([getattr(c, name) for _, c in found]) for name in _COLUMNS}
    pt, phi = np.hypot(columns["px"], columns["py"]), np.arctan2(columns["py"], columns["px"])
    order = np.lexsort((-pt, owner))
    owner, pt, phi = owner[order], pt[order], phi[order]
    columns = {name: values[order] for name, values in columns.items()}
    _, _, rapidity, azimuth = _sums(owner, columns)
    own_rapidity = np.arctanh(columns["pz"] / columns["energy"])
    inside = delta_r(own_rapidity, phi, rapidity[owner], azimuth[owner]) < radius
    inside |= np.diff(owner, prepend=-1) > 0  # at least the hardest one
    owner, pt, phi = owner[inside], pt[inside], phi[inside]
    columns = {name: values[inside] for name, values in columns.items()}
    jet_pt, energy, rapidity, azimuth = _sums(owner, columns)
    p_z = energy * np.tanh(rapidity)
    single = {name: values.astype(np.float32) for name, values in (("pt", pt), ("mass", columns["mass"]))}
    return Jets(
        **single,
        d_eta=(np.arcsinh(columns["pz"] / pt) - rapidity[owner]).astype(np.float32),
        d_phi=wrapped((phi - azimuth[owner]).astype(np.float32)),
        other={name: columns[name].astype(_DTYPES.get(name, np.float32)) for name in OPTIONAL_COLUMNS},
        counts=np.bincount(owner),
        jet_pt=jet_pt.astype(np.float32),
        jet_energy=energy.astype(np.float32),
        jet_eta=np.arcsinh(p_z / jet_pt).astype(np.float32),
        axis=rapidity.astype(np.float32),
    )


_COLUMNS: Final = ("px", "py", "pz", "energy", "mass", *OPTIONAL_COLUMNS)
_DTYPES: Final = {"charge": np.int8, "pdg_id": np.int32}


def _ranks(candidates: Candidates) -> Integers:
    """Number of the jet of each candidate among those that have any."""
    seen = np.diff(candidates.offsets) > 0
    return np.asarray((np.cumsum(seen) - 1)[owners_of(candidates.offsets)])


def _sums(owner: Integers, columns: dict[str, npt.NDArray[np.generic]]) -> tuple[Floats, Floats, Floats, Floats]:
    """PT, energy, rapidity and azimuth of the sum of each jet's candidates."""
    px, py, pz, energy = (np.bincount(owner, columns[name]).astype(float) for name in ("px", "py", "pz", "energy"))
    return np.hypot(px, py), energy, np.arctanh(pz / energy), np.arctan2(py, px)


def radius_of_generated(rows: Rows) -> float:
    """R of the jets of generated particles in the files.

    Raises:
        InputError: a view has a detector, or files have jets of another radius.
    """
    radii = {}
    for record in rows.files:
        with PairFile(record.path) as file:
            for view in file.views:
                measured = file.provenance.imported or view.settings.get("detector", NO_DETECTOR) != NO_DETECTOR
                if view.name in rows.views and measured:
                    raise InputError(
                        f"{record.path}: views.source live shows generated particles to a detector, view"
                        f" {view.name!r} has been through one; name views with `detector: none` in views.pairs"
                    )
            radii[record.path] = float(file.provenance.card.get("jets", {}).get("radius", JetSettings().radius))
    if len(set(radii.values())) > 1:
        raise InputError(f"views.source live: the files have jets of other radii ({radii}); train on one kind")
    return next(iter(radii.values()))
