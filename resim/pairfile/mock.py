"""Pair files of toy jets, made without a generator: for tests, examples and trying out a training card.

Toy jets of two classes: `one_prong` has one narrow core, `two_prong` two of them; views redraw the constituents
around the same axes. Nothing here is a physics model.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from resim.card.view_plan import ViewRecord
from resim.common.angles import wrap
from resim.common.arrays import Arrays, Integers
from resim.common.ragged import offsets_of, owners_of
from resim.common.row_counts import SourceCounts, ViewCounts
from resim.common.units import PHOTON, PYTHIA_SEED_MAX
from resim.common.versions import utc_now, versions
from resim.pairfile import schema
from resim.pairfile.places import identity_of_place
from resim.pairfile.provenance import Provenance, SourceRecord
from resim.pairfile.row_block import RowBlock, invalid_jet_columns
from resim.pairfile.writer import PairWriter

LABELS = ["one_prong", "two_prong"]
_DIRECTION = ("eta", "phi", "energy")


def write_mock(  # noqa: PLR0913, PLR0917
    path: Path,
    n_rows: int = 64,
    views: tuple[str, ...] = ("nominal", "seed"),
    seed: int = 1,
    p_valid: float = 0.9,
    constituents: tuple[int, int] = (5, 39),
    copies: int = 1,
    *,
    vertices: bool = False,
    cells: bool = False,
) -> Path:
    """Write a valid pair file of toy jets.

    Args:
        path: where to write; also what is returned.
        n_rows: rows, alternating between the two classes, one per event.
        views: names of the views; the first is the root.
        seed: seed of the toy; it also makes the identity of the pretended LHE file.
        p_valid: probability that a row is valid in a view.
        constituents: smallest and largest number of a jet, uniformly distributed in between.
        copies: how often all rows are written, each time with other event numbers: large files in little time.
        vertices: whether jets have secondary vertices, those of two prongs more often.
        cells: whether jets have cells, clusters and tracks, as many as they have constituents.
    """
    rng = np.random.default_rng(seed)
    rows = _hard_scatters(rng, np.arange(n_rows) % 2)
    arrays: Arrays = {f"hard_scatter/{name}": column for name, column in rows.items()}
    valid = {view: rng.random(n_rows) < p_valid for view in views}
    for view in views:
        columns = _view(rng, rows, valid[view], constituents)
        columns |= (_vertices(rng, rows, valid[view]) if vertices else {}) | (_cells(columns) if cells else {})
        arrays |= {f"views/{view}/{key}": array for key, array in columns.items()}
    sha256 = f"{seed:064x}"
    with PairWriter(path, _records(views), LABELS, [sha256], vertices=vertices, cells=cells) as writer:
        for copy in range(copies):
            writer.append(_block(views, arrays, rows["event"] + copy * n_rows, sha256))
        all_valid = {view: np.tile(column, copies) for view, column in valid.items()}
        writer.finish(_provenance(copies * n_rows, all_valid, sha256, seed))
    return path


def _block(views: tuple[str, ...], arrays: Arrays, event: Integers, sha256: str) -> RowBlock:
    """The rows with these event numbers, in the types of the schema."""
    places = {"event": event, "identity": identity_of_place([sha256], arrays["hard_scatter/source"], event)}
    every = arrays | {f"hard_scatter/{name}": column for name, column in places.items()}
    columns = schema.Layout(views).row_columns()
    return RowBlock(views, every | {name: every[name].astype(column.dtype) for name, column in columns.items()})


def _records(views: tuple[str, ...]) -> list[ViewRecord]:
    """The first view is the root, the others share its hard scatters."""
    root, *others = views
    return [ViewRecord(root, None, None, {}), *(ViewRecord(name, root, "hard_scatter", {}) for name in others)]


def _hard_scatters(rng: np.random.Generator, label: npt.NDArray[np.int64]) -> Arrays:
    n_rows = len(label)
    return {
        "event": np.arange(n_rows),
        "source": np.zeros(n_rows, np.int64),
        "label": label,
        "weight": np.ones(n_rows),
        "parton_pdg_id": np.where(label == 1, 25, 21),
        "parton_pt": rng.uniform(300, 600, n_rows),
        "parton_eta": rng.uniform(-2, 2, n_rows),
        "parton_phi": rng.uniform(-np.pi, np.pi, n_rows),
        "parton_mass": np.where(label == 1, 125.0, 0.0),
    }


def _view(
    rng: np.random.Generator, rows: Arrays, valid: npt.NDArray[np.bool_], constituents: tuple[int, int]
) -> Arrays:
    n_rows = len(valid)
    counts = np.where(valid, rng.integers(*constituents, n_rows, endpoint=True), 0)
    offsets = offsets_of(counts)
    of_jets = [_constituents(rng, rows, row, int(counts[row])) for row in np.flatnonzero(valid).tolist()]
    view: Arrays = {
        f"seeds/{stage}": rng.integers(1, PYTHIA_SEED_MAX, n_rows) for stage in ("shower", "hadronization")
    }
    view |= {"seeds/detector": np.zeros(n_rows), "valid": valid, "offsets": offsets}
    for column in schema.CONSTITUENTS:
        parts = [jet[column.name] for jet in of_jets]
        view[f"constituents/{column.name}"] = np.concatenate([*parts, np.empty(0)]).astype(column.dtype)
    jets = _jets(view, offsets, valid)
    view |= {f"jets/{name}": array for name, array in jets.items()}
    view |= {f"particle_jets/{column.name}": jets[column.name] for column in schema.PARTICLE_JETS}
    return view


def _constituents(rng: np.random.Generator, rows: Arrays, row: int, n: int) -> Arrays:
    pt = np.sort(rng.dirichlet(np.full(n, 0.5)) * rows["parton_pt"][row] + 0.1)[::-1]
    prong = rng.integers(0, 2, n) * 0.4 * rows["label"][row]
    eta = rows["parton_eta"][row] + prong - 0.2 * rows["label"][row] + rng.normal(0, 0.05, n)
    phi = rows["parton_phi"][row] + rng.normal(0, 0.05, n)
    charge = rng.integers(-1, 2, n)
    zeros = np.zeros(n)
    return {
        "pt": pt,
        "eta": eta,
        "phi": wrap(phi),
        "energy": pt * np.cosh(eta),
        "charge": charge,
        "pdg_id": np.where(charge == 0, 22, 211 * charge),
        "d0": zeros,
        "d0_err": zeros,
        "dz": zeros,
        "dz_err": zeros,
    }


def _vertices(rng: np.random.Generator, rows: Arrays, valid: npt.NDArray[np.bool_]) -> Arrays:
    counts = np.where(valid, rng.poisson(0.2 + 0.8 * rows["label"]), 0)
    row = np.repeat(np.arange(len(valid)), counts)
    pt, eta, mass = rng.uniform(10, 100, len(row)), rows["parton_eta"][row], rng.uniform(0.5, 5, len(row))
    flight = rng.exponential(5.0, len(row)) + 0.5
    significance = flight / 0.5
    values = {
        "pt": pt,
        "eta": eta,
        "phi": wrap(rows["parton_phi"][row]),
        "energy": np.hypot(pt * np.cosh(eta), mass),
        "mass": mass,
        "n_tracks": rng.integers(2, 6, len(row)),
        "flight_2d": flight / np.cosh(eta),
        "flight_2d_significance": significance,
        "flight_3d": flight,
        "flight_3d_significance": significance,
        "cos_pointing": np.ones(len(row)),
        "chi2_ndf": rng.chisquare(3, len(row)) / 3,
    }
    columns: Arrays = {f"vertices/{c.name}": values[c.name].astype(c.dtype) for c in schema.VERTICES}
    return columns | {"vertex_offsets": offsets_of(counts)}


def _cells(view: Arrays) -> Arrays:
    """Every constituent is a cluster of one cell, of photons in layer 1, else in 3; charged ones are tracks, too."""
    offsets, eta, phi, energy = (view[name] for name in ("offsets", *(f"constituents/{n}" for n in _DIRECTION)))
    zeros, charge = np.zeros(len(energy)), view["constituents/charge"].astype(np.float64)
    number, track = np.arange(len(energy)) - offsets[owners_of(offsets)], np.flatnonzero(charge)
    layer, place = np.where(view["constituents/pdg_id"] == PHOTON, 1, 3), {"eta": eta, "phi": phi}
    crossings = {f"{layer}_{angle}": values for layer in ("first", "last") for angle, values in place.items()}
    values: dict[str, Arrays] = {
        "cells": {"layer": layer, **place, "energy": energy, "cluster": number},
        "clusters": {"energy": energy, **place, "sigma_eta": zeros, "sigma_phi": zeros, "n_cells": zeros + 1},
        "tracks": {"d0": zeros, "z0": zeros, "theta": 2 * np.arctan(np.exp(-eta)), "phi": phi},
    }
    tracks = values["tracks"] | {"q_over_p": charge / energy} | crossings
    values["tracks"] = {name: column[track] for name, column in tracks.items()}
    found: Arrays = {"cells/offsets": offsets, "clusters/offsets": offsets}
    found["tracks/offsets"] = np.searchsorted(track, offsets).astype(np.int64)
    for group, columns in schema.CELL_GROUPS.items():
        found |= {f"{group}/{c.name}": values[group][c.name].astype(c.dtype) for c in columns}
    return found


def _jets(view: Arrays, offsets: npt.NDArray[np.int64], valid: npt.NDArray[np.bool_]) -> Arrays:
    jets = invalid_jet_columns(len(valid))
    for row in np.flatnonzero(valid):
        pt, eta, phi, energy = (
            view[f"constituents/{name}"][offsets[row] : offsets[row + 1]].astype(float)
            for name in ("pt", "eta", "phi", "energy")
        )
        px, py, pz = (pt * np.cos(phi)).sum(), (pt * np.sin(phi)).sum(), (pt * np.sinh(eta)).sum()
        mass = np.sqrt(max(energy.sum() ** 2 - px**2 - py**2 - pz**2, 0.0))
        jet_pt = np.hypot(px, py)
        values = {"pt": jet_pt, "eta": np.arcsinh(pz / jet_pt), "phi": np.arctan2(py, px), "mass": mass}
        values |= {"energy": energy.sum(), "n_constituents": len(pt), "softdrop_mass": 0.9 * mass}
        values |= {f"tau{n}": 0.2 / n for n in range(1, 5)}
        for name, value in values.items():
            jets[name][row] = value
    return jets


def _provenance(n_rows: int, valid: dict[str, npt.NDArray[np.bool_]], sha256: str, seed: int) -> Provenance:
    counts = SourceCounts(events=n_rows, events_with_rows=n_rows, partons=n_rows, rows=n_rows)
    source = SourceRecord(lhe="mock", sha256=sha256, events_in_file=n_rows, generator="mock", counts=counts)
    views = {}
    for name, flags in valid.items():
        lost = {"no_jet": int((~flags).sum())} if (~flags).any() else {}
        views[name] = ViewCounts(valid=int(flags.sum()), lost=lost)
    return Provenance(
        card={},
        run_key="mock",
        seed=seed,
        n_events=None,
        sources=[source],
        views=views,
        versions=versions(),
        commit=None,
        dirty=None,
        created=utc_now(),
        seconds=0.0,
        workers=1,
    )
