"""Candidates from the particle-flow objects that Delphes writes."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.common.ragged import offsets_of
from resim.common.units import PHOTON
from resim.particles import Candidates

Columns = Mapping[str, npt.NDArray[Any]]

_OPTIONAL: Final = {"mass": 0, "charge": 0, "d0": 0, "dz": 0, "d0_err": 0, "dz_err": 0, "origin": -1}
"""Columns that a kind may leave out, and what they hold then."""


def candidates_of(tracks: Columns, photons: Columns, neutral_hadrons: Columns, n_events: int) -> Candidates:
    """Candidates of tracks and towers.

    Args:
        tracks: arrays `event`, `pdg_id`, `pt`, `eta`, `phi`, and what is not zero of `mass`, `charge`, `d0`, `dz`,
            `d0_err` and `dz_err`; `origin` where it is known; all `(n_tracks,)`, GeV and mm.
        photons: arrays `event`, `pt`, `eta`, `phi`, likewise.
        neutral_hadrons: the same of neutral hadrons.
        n_events: number of events, of which some may be empty.

    Returns:
        In every event tracks, photons, neutral hadrons, each in the order in which they are given.
    """
    kinds = (tracks, _with_id(photons, PHOTON), _with_id(neutral_hadrons, 0))
    columns = {name: _column(kinds, name) for name in ("event", "pdg_id", "pt", "eta", "phi", *_OPTIONAL)}
    event = columns.pop("event")
    order = np.argsort(event, kind="stable")
    c = {name: column[order] for name, column in columns.items()}
    ux, uy = np.cos(c["phi"]), np.sin(c["phi"])
    return Candidates(
        offsets=offsets_of(np.bincount(event.astype(np.int64), minlength=n_events)),
        px=c["pt"] * ux,
        py=c["pt"] * uy,
        pz=c["pt"] * np.sinh(c["eta"]),
        energy=np.hypot(c["pt"] * np.cosh(c["eta"]), c["mass"]),
        pdg_id=c["pdg_id"].astype(np.int32),
        vx=c["d0"] * uy,
        vy=-c["d0"] * ux,
        vz=c["dz"],
        origin=c["origin"].astype(np.int64),
        **{name: c[name] for name in ("mass", "charge", "d0", "dz", "d0_err", "dz_err")},
    )


def _with_id(columns: Columns, pdg_id: int) -> Columns:
    return {**columns, "pdg_id": np.full(len(columns["event"]), pdg_id)}


def _column(kinds: tuple[Columns, ...], name: str) -> npt.NDArray[np.float64]:
    missing = _OPTIONAL.get(name, 0)
    parts = [kind[name] if name in kind else np.full(len(kind["event"]), missing) for kind in kinds]
    return np.concatenate(parts).astype(np.float64)
