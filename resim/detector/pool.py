"""Pools of minimum-bias events: small HDF5 files that are made once and read a few events at a time.

Datasets, all contiguous and uncompressed so that they can be mapped into memory: `offsets` (int64 `(n_events + 1,)`),
`pdg_id` (int32) and, as float32, `charge` in units of e, `px py pz mass` in GeV and `vx vy vz` in mm, each
`(offsets[-1],)`. Energies follow from momenta and masses. Attributes: `schema`, `schema_version` and `provenance`
(JSON). There are no dates in the file, so equal settings, seed and versions give equal bytes.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from resim.common.errors import reason_of
from resim.common.hdf5_input import Hdf5Input, Stored
from resim.common.hdf5_output import Hdf5Output
from resim.common.ragged import indices_of_ranges, offsets_of
from resim.particles import Particles

SCHEMA: Final = "resim.pool"
SCHEMA_VERSION: Final = 1
PARTICLE: Final = np.dtype(
    [("pdg_id", "<i4"), *((name, "<f4") for name in ("charge", "px", "py", "pz", "mass", "vx", "vy", "vz"))]
)
"""One particle of a pool; every field is a dataset of the file."""
_PARTICLES_AT_ONCE: Final = 500_000
_REMEDY: Final = "make a pool with `resim pileup`"


@dataclass(frozen=True, slots=True)
class PoolProvenance:
    """How a pool came about.

    Attributes:
        seed: its seed.
        e_cm: energy of the proton-proton collisions, GeV.
        settings: Pythia's settings, one line each.
        versions: versions of resim, Python and the packages that can change an array.
    """

    seed: int
    e_cm: float
    settings: tuple[str, ...]
    versions: dict[str, str]


_PROVENANCE: Final = TypeAdapter(PoolProvenance)


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool that was opened and checked. Only its offsets are kept in memory.

    Attributes:
        path: the file.
        offsets: int64 `(n_events + 1,)`, where the events start.
        places: position of every dataset in the file, bytes.
        provenance: how it was made.
    """

    path: Path
    offsets: npt.NDArray[np.int64]
    places: dict[str, int]
    provenance: PoolProvenance

    @classmethod
    def open(cls, path: Path) -> "Pool":
        """Open a pool and check its layout.

        Raises:
            InputError: missing, no HDF5, not a pool, of another schema version, empty, or damaged.
        """
        with Hdf5Input(path, _REMEDY) as file:
            return _read(path, file)

    @property
    def n_events(self) -> int:
        """Number of events, at least 1."""
        return len(self.offsets) - 1

    @property
    def mean_particles(self) -> float:
        """Stable particles in an event, on average."""
        return float(self.offsets[-1]) / self.n_events

    def take(self, entries: npt.NDArray[Any]) -> Particles:
        """Some events of the pool, `entries` `(n,)` by their numbers, in that order and with repetitions.

        The file is mapped anew each time, so that no more of it counts as this process's memory than what is taken.
        """
        lengths = np.diff(self.offsets)[entries]
        rows = indices_of_ranges(self.offsets[entries], lengths)
        columns = {name: self._column(name)[rows] for name in PARTICLE.names or ()}
        pdg_id = columns.pop("pdg_id").astype(np.int32)
        floats = {name: column.astype(np.float64) for name, column in columns.items()}
        energy = np.sqrt(sum(floats[name] ** 2 for name in ("px", "py", "pz", "mass")))
        return Particles(offsets=offsets_of(lengths), pdg_id=pdg_id, energy=energy, **floats)

    def _column(self, name: str) -> npt.NDArray[Any]:
        shape = (int(self.offsets[-1]),)
        return np.memmap(self.path, PARTICLE[name], mode="r", offset=self.places[name], shape=shape)


def _read(path: Path, file: Hdf5Input) -> Pool:
    if file.attribute("schema") != SCHEMA:
        raise file.refusal("HDF5, but not a pool of minimum-bias events")
    if (version := file.attribute("schema_version")) != SCHEMA_VERSION:
        raise file.refusal(f"pool of schema version {version}, this resim reads {SCHEMA_VERSION}")
    try:
        provenance = _PROVENANCE.validate_json(file.attribute("provenance"))
    except ValidationError as error:
        raise file.refusal(f"damaged pool (provenance: {reason_of(error)})") from error
    offsets = file.read("offsets").astype(np.int64)
    if offsets.ndim != 1 or len(offsets) < 2 or offsets[-1] == 0:
        raise file.refusal("the pool has no events")
    if offsets[0] != 0 or (np.diff(offsets) < 0).any():
        raise file.refusal("damaged pool (its offsets do not ascend from 0)")
    places = {name: _place(file, name, int(offsets[-1])) for name in PARTICLE.names or ()}
    return Pool(path, offsets, places, provenance)


def _place(file: Hdf5Input, name: str, length: int) -> int:
    """Where the values of a dataset start in the file."""
    stored, want = file.datasets.get(name), Stored((length,), PARTICLE[name])
    if stored != want:
        raise file.refusal(f"damaged pool (dataset {name} is {stored or 'missing'}, want {want})")
    if (place := file.place(name)) is None:
        raise file.refusal(f"damaged pool (dataset {name} is not contiguous)")
    return place


def write_pool(path: Path, events: Iterable[npt.NDArray[np.void]], provenance: PoolProvenance) -> None:
    """Write a pool; it appears under its name only when it is whole.

    Memory does not grow with the number of events: they wait in an unnamed file next to the output.

    Args:
        path: the file; one that exists is replaced.
        events: `PARTICLE` `(n_particles,)` each.
        provenance: how they are made.

    Raises:
        InputError: the file cannot be written.
    """
    with Hdf5Output(path) as output, TemporaryFile(dir=path.absolute().parent) as spool:
        lengths = []
        for event in events:
            spool.write(event.tobytes())
            lengths.append(len(event))
        output.file.attrs.update({"schema": SCHEMA, "schema_version": SCHEMA_VERSION})
        output.file.attrs["provenance"] = json.dumps(asdict(provenance))
        output.file["offsets"] = offsets_of(lengths)
        _copy(spool, output.file, sum(lengths))
        output.complete()


def _copy(spool: Any, file: h5py.File, length: int) -> None:
    """Copy spooled particles into the datasets of a file."""
    spool.seek(0)
    datasets = {name: file.create_dataset(name, (length,), PARTICLE[name]) for name in PARTICLE.names or ()}
    for start in range(0, length, _PARTICLES_AT_ONCE):
        block = np.frombuffer(spool.read(_PARTICLES_AT_ONCE * PARTICLE.itemsize), PARTICLE)
        for name, dataset in datasets.items():
            dataset[start : start + len(block)] = block[name]
