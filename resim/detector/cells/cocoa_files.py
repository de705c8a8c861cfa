"""What COCOA writes: cells, tracks and truth particles in a ROOT file, one entry an event.

Branches and units (MeV, mm) are those of COCOA's documentation, "Event Description", and of arXiv:2303.02101. Entries
have no number: which event one is, is known by the particles that COCOA says it has simulated.

Letters: K truth particles of an event, N given particles of an event.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt
import uproot

from resim.common.angles import wrap
from resim.common.arrays import Floats, Integers
from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.detector.cells.readout import CellHits, Tracks
from resim.detector.objects import Objects
from resim.particles import Particles

TREE: Final = "Out_Tree"
MEV: Final = 1e-3
"""In GeV."""
CELLS: Final = {name: f"cell_{name}" for name in ("layer", "eta", "phi", "e", "topo_idx")}
TRACKS: Final = {
    name: f"track_{name}"
    for name in ("pdgid", "d0", "z0", "theta", "phi", "qoverp", "reconstructed", "in_acceptance")
}
PARTICLES: Final = {name: f"particle_{name}" for name in ("pdgid", "pt", "eta", "phi", "track_idx")}
_SAME: Final = 1e-4
"""Largest distance of a particle from the one it is, in pT (relative), eta and phi: numbers of the file have 32 bits,
and eta comes from an angle, which loses a digit or two near the beam."""

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class _Found:
    """One kind of entries: the event of each, and its columns `(n,)`."""

    offsets: Integers
    columns: Columns

    @property
    def event(self) -> Integers:
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def of_event(self, event: int) -> Columns:
        inside = slice(*self.offsets[event : event + 2].tolist())
        return {name: values[inside] for name, values in self.columns.items()}


def read_cocoa(
    path: Path, particles: Particles, written: npt.NDArray[np.bool_], n_layers: int
) -> tuple[CellHits, Tracks]:
    """Cells in clusters, and tracks, of a ROOT file of COCOA.

    Args:
        path: the file.
        particles: all events that were meant to be simulated.
        written: bool `(n_events,)`, which of them the file must have, in this order.
        n_layers: of the calorimeter.

    Returns:
        The cells of positive energy, whose clusters are numbered through the events from 0; the tracks that COCOA
        calls reconstructed and in acceptance, with the number of the generated particle as `item`. Errors of impact
        parameters are not stated there, and 0.

    Raises:
        InputError: the file is missing or damaged, lacks a branch, has other layers, or does not hold these events in
            this order.
    """
    if not path.is_file():
        raise InputError(f"{path.name} was not written")
    places = np.flatnonzero(written)
    layers = [f"track_{axis}_layer_{layer}" for layer in range(n_layers) for axis in "xyz"]
    cells, tracks, truth = _read(path, (CELLS, TRACKS | {name: name for name in layers}, PARTICLES), len(places))
    items = [_items(truth.of_event(i), particles, int(event), i) for i, event in enumerate(places)]
    hits = _hits(cells, places, n_layers)
    return hits, _tracks(tracks, truth, np.concatenate([np.empty(0, np.int64), *items]), places, particles)


def _read(path: Path, kinds: Sequence[dict[str, str]], n_events: int) -> list[_Found]:
    try:
        with uproot.open(path) as file:
            tree = file[TREE]
            present = set(tree.keys(recursive=True, full_paths=False))
            missing = [branch for kind in kinds for branch in kind.values() if branch not in present]
            if missing:
                raise InputError(
                    f"the output has no {', '.join(missing[:3])}; want Type_of_running Standard, and a card with as"
                    " many layers as COCOA has"
                )
            if tree.num_entries != n_events:
                raise InputError(f"the output holds {tree.num_entries} events, {n_events} were given")
            return [_columns(tree, kind) for kind in kinds]
    except InputError:
        raise
    except Exception as error:  # uproot has a dozen kinds for files that are cut off or damaged
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"{path.name} is not readable: {type(error).__name__}: {reason}") from error


def _columns(tree: Any, branches: dict[str, str]) -> _Found:
    jagged = {name: tree[branch].array() for name, branch in branches.items()}
    lengths = {name: ak.num(values).to_numpy() for name, values in jagged.items()}
    columns = {name: ak.flatten(values).to_numpy().astype(np.float64) for name, values in jagged.items()}
    first = next(iter(branches))
    for name, branch in branches.items():
        if not np.array_equal(lengths[name], lengths[first]):
            raise InputError(f"{branch} does not hold as many numbers as {branches[first]}")
    return _Found(offsets_of(lengths[first]), columns)


def _refuse_no_numbers(columns: Columns, what: str) -> None:
    for name, values in columns.items():
        if not np.isfinite(values).all():
            raise InputError(f"{name} of {what} holds numbers that are not finite")


def _items(truth: Columns, particles: Particles, event: int, entry: int) -> Integers:
    """Which given particle each truth particle is, int64 `(K,)`, in an event of N.

    Raises:
        InputError: one of them is none of those that were given.
    """
    own = particles.events(event, event + 1)
    if not len(truth["pt"]):
        return np.empty(0, np.int64)
    with np.errstate(divide="ignore"):
        ratio = np.log(truth["pt"][:, None] * MEV / own.pt)
    differences = (ratio, truth["eta"][:, None] - own.eta, wrap(truth["phi"][:, None] - own.phi))
    distance = np.max(np.abs(differences), axis=0)
    distance[truth["pdgid"][:, None] != own.pdg_id] = np.inf
    nearest = distance.min(axis=1, initial=np.inf)
    if (strange := np.flatnonzero(~(nearest < _SAME))).size:
        i = int(strange[0])
        what = f"PDG id {truth['pdgid'][i]:.0f}, pT {truth['pt'][i] * MEV:.4g} GeV, eta {truth['eta'][i]:.4g}"
        raise InputError(
            f"entry {entry} of the output is of another event: particle {i} ({what}) was not given to it"
        )
    return np.asarray(distance.argmin(axis=1), np.int64)


def _hits(cells: _Found, places: Integers, n_layers: int) -> CellHits:
    """Cells that are in a cluster (COCOA counts from 1) and have a positive energy."""
    _refuse_no_numbers(cells.columns, "cells")
    columns, layer = cells.columns, cells.columns["layer"].astype(np.int64)
    if layer.size and not (layer.min() >= 0 and layer.max() < n_layers):
        wrong = layer.min() if layer.min() < 0 else layer.max()
        raise InputError(f"cell_layer holds {wrong}, the card has layers 0 to {n_layers - 1}")
    kept = (columns["topo_idx"] > 0) & (columns["e"] > 0)
    label = np.stack([cells.event[kept], columns["topo_idx"][kept]], axis=1)
    _, cluster = np.unique(label, axis=0, return_inverse=True)
    return CellHits(
        event=places[cells.event[kept]],
        layer=layer[kept],
        eta=columns["eta"][kept],
        phi=np.asarray(wrap(columns["phi"][kept]), np.float64),
        energy=columns["e"][kept] * MEV,
        cluster=cluster.ravel().astype(np.int64),
    )


def _tracks(tracks: _Found, truth: _Found, items: Integers, places: Integers, particles: Particles) -> Tracks:
    """Tracks, and where they cross the layers."""
    columns, item = tracks.columns, _items_of_tracks(tracks, truth, items)
    usable = (columns["reconstructed"] > 0) & (columns["in_acceptance"] > 0) & (columns["qoverp"] != 0)
    kept = np.flatnonzero(usable & (item >= 0))
    c, item, event = {name: values[kept] for name, values in columns.items()}, item[kept], places[tracks.event[kept]]
    _refuse_no_numbers(c, "tracks")  # those that it lost may have any
    eta, phi = _crossings(c)
    momentum, mass = MEV / np.abs(c["qoverp"]), particles.mass[particles.offsets[event] + item]
    objects = Objects.of(
        event=event,
        item=item,
        pdg_id=c["pdgid"].astype(np.int32),
        charge=np.sign(c["qoverp"]),
        mass=mass,
        energy=np.hypot(momentum, mass),
        pt=momentum * np.sin(c["theta"]),
        ux=np.cos(c["phi"]),
        uy=np.sin(c["phi"]),
        slope=1 / np.tan(c["theta"]),
        true_pt=particles.pt[particles.offsets[event] + item],
        outer_eta=eta[:, 0],
        outer_phi=phi[:, 0],
        d0=c["d0"],
        dz=c["z0"],
    )
    return Tracks(objects, eta, phi)


def _items_of_tracks(tracks: _Found, truth: _Found, items: Integers) -> Integers:
    """The generated particle of every track, by its number in the event; -1 for none: int64 `(n_tracks,)`."""
    number = truth.columns["track_idx"].astype(np.int64)
    first, count = tracks.offsets[truth.event], np.diff(tracks.offsets)[truth.event]
    known = (number >= 0) & (number < count)
    found = np.full(len(tracks.columns["qoverp"]), -1)
    found[(first + number)[known]] = items[known]
    return found


def _crossings(columns: Columns) -> tuple[Floats, Floats]:
    """Pseudorapidity and azimuth in the middle of each layer, float64 `(n_tracks, n_layers)`."""
    n_layers = sum(name.startswith("track_x_layer_") for name in columns)
    x, y, z = (
        np.stack([columns[f"track_{axis}_layer_{layer}"] for layer in range(n_layers)], axis=1) for axis in "xyz"
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        eta = np.arcsinh(z / np.hypot(x, y))
    _refuse_no_numbers({f"crossing of layer {layer}": eta[:, layer] for layer in range(n_layers)}, "tracks")
    return eta, np.arctan2(y, x)
