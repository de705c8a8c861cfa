"""Anomalous versions of whole events: more objects, or harder ones; the anomaly augmentations of AnomalyCLR.

arXiv:2301.04660, whose text names three; what it leaves open is as in its code (bmdillon/AnomalyCLR), but for what
`split_objects` says. Objects are those of ADC 2021 as `resim import --format adc2021` makes them: missing energy is a
photon, a jet has the number 0. Inputs are never modified; the momentum of the event as a whole follows.

Letters: B events, T objects of all of them together, N new ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.data.augmentations import by_pt, choose, divide
from jetssl.data.features import momenta
from jetssl.data.jets import Jets
from jetssl.data.kinematics import PI, hypotenuse, wrapped
from resim.common.arrays import Booleans, Floats32, Integers
from resim.common.errors import InputError

MISSING = 22
"""PDG number that stands for missing energy (cards/import/adc2021.yaml)."""


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """Objects of an event and what is recorded of them (doi:10.1038/s41597-022-01187-8)."""

    pdg_id: int
    """that stands for them"""
    charge: int
    """that imported ones have"""
    most: int
    """in an event"""
    pt_min: float
    """GeV"""
    abs_eta_max: float


KINDS = (ObjectKind(11, -1, 4, 3.0, 3.0), ObjectKind(13, -1, 4, 3.0, 2.1), ObjectKind(0, 0, 10, 15.0, 4.0))
"""Electrons, muons and jets."""
ANGLE = 0.028
"""Width of the smearing of eta and phi of objects, ..."""
ANGLE_PT = 25.0
"""... whose pT in GeV is below this; in the authors' code a logistic step, 0.1 GeV wide."""
LOWEST_MISSING = 0.5
"""Smallest factor of missing energy."""


def add_objects(events: Jets, rng: np.random.Generator) -> Jets:
    """Add electrons, muons and jets, against which the missing energy recoils; then smear directions.

    Of each kind any number up to the most that an event may have is as likely, none too. pT is uniform from the
    threshold to that of the hardest object, eta and phi are uniform.

    Args:
        events: B events.
        rng: random numbers.
    """
    hardest = events.pt[events.starts]
    new = [_objects(kind, rng.integers(0, _places(events, kind) + 1), hardest, rng) for kind in KINDS]
    added = {name: np.concatenate([columns[name] for columns in new]) for name in new[0]}
    return _measured(_joined(events, ~_is(events, MISSING), _with_missing(events, added)), rng)


def split_objects(events: Jets, rng: np.random.Generator) -> Jets:
    """Replace objects by two of the same direction, which share the momentum; then smear directions.

    How many of a kind are split is uniform from 0 to what an event may have, both parts are above the threshold. The
    sums of pT of each kind and the missing energy stay. (The authors' code deals the summed pT of a kind out to old
    and new objects at random, which keeps those sums but not the balance of momenta with the missing energy.)

    Args:
        events: B events.
        rng: random numbers.
    """
    chosen, least = np.zeros(len(events.pt), bool), np.zeros(len(events.pt), np.float32)
    for kind in KINDS:
        able = np.flatnonzero(_is(events, kind.pdg_id) & (events.pt > 2 * kind.pt_min))
        of_event = np.bincount(_owners(events)[able], minlength=len(events.counts))
        wanted = rng.integers(0, np.minimum(of_event, _places(events, kind)) + 1)
        chosen[able[choose(events.select(able, of_event), wanted, rng)]] = True
        least[able] = kind.pt_min / events.pt[able]
    low = least[chosen]
    return _measured(divide(events, chosen, low + (1 - 2 * low) * rng.random(len(low), np.float32)), rng)


def scale_pt(events: Jets, rng: np.random.Generator, largest: float) -> Jets:
    """Multiply the missing energy, or the momenta of all other objects, or both alike; one of three, as likely.

    Args:
        events: B events.
        rng: source of B choices and 2B factors, uniform from 1 (from 0.5 for missing energy alone) to `largest`.
        largest: factor; 5 in the paper.
    """
    what = rng.integers(3, size=len(events.counts))
    alone, factor = (rng.uniform(least, largest, len(what)) for least in (LOWEST_MISSING, 1.0))
    of_missing = np.where(what == 0, alone, np.where(what == 1, 1, factor)).astype(np.float32)
    of_others = np.where(what == 0, 1, factor).astype(np.float32)
    factors = np.where(_is(events, MISSING), *map(events.per_constituent, (of_missing, of_others)))
    return _whole(replace(events, pt=events.pt * factors, mass=events.mass * factors))


def require_events(jets: Jets) -> None:
    """Refuse jets, whose constituents are no objects of an event.

    Raises:
        InputError: the axis of one is not the beam.
    """
    if jets.axis.any():
        raise InputError(
            "objective.anomalies: add_objects, split_objects and scale_pt are for events, the data has jets; leave"
            " them out, or import events with axis: beam"
        )


def _is(events: Jets, pdg_id: int) -> Booleans:
    return np.asarray(np.abs(events.other["pdg_id"]) == pdg_id)


def _owners(events: Jets) -> Integers:
    """Event of each object, int64 `(T,)`."""
    return events.per_constituent(np.arange(len(events.counts)))


def _places(events: Jets, kind: ObjectKind) -> Integers:
    """How many more of a kind an event may have, int64 `(B,)`."""
    found = np.bincount(_owners(events)[_is(events, kind.pdg_id)], minlength=len(events.counts))
    return np.maximum(kind.most - found, 0)


def _objects(kind: ObjectKind, counts: Integers, hardest: Floats32, rng: np.random.Generator) -> dict[str, Any]:
    """`counts[i]` new objects of event i, columns of `(N,)`."""
    owner = np.repeat(np.arange(len(counts)), counts)
    uniform = rng.random((3, len(owner)), np.float32)
    return {
        "owner": owner,
        "pt": kind.pt_min + np.maximum(hardest[owner] - kind.pt_min, 0) * uniform[0],
        "d_eta": kind.abs_eta_max * (2 * uniform[1] - 1),
        "d_phi": wrapped(PI * (2 * uniform[2] - 1)),
        "charge": np.full(len(owner), kind.charge),
        "pdg_id": np.full(len(owner), kind.pdg_id),
    }


def _with_missing(events: Jets, added: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """The added objects, and the missing energy that the events have with them."""
    size, is_missing = len(events.counts), _is(events, MISSING)
    x, y = (
        events.sums(events.pt * project(events.d_phi) * is_missing)
        - np.bincount(added["owner"], added["pt"] * project(added["d_phi"]), size).astype(np.float32)
        for project in (np.cos, np.sin)
    )
    some = np.flatnonzero(hypotenuse(x, y) > 0)
    missing = {"owner": some, "pt": hypotenuse(x, y)[some], "d_phi": wrapped(np.arctan2(y, x)[some])}
    missing |= {"d_eta": np.zeros(len(some)), "charge": np.zeros(len(some)), "pdg_id": np.full(len(some), MISSING)}
    return {name: np.concatenate([values, missing[name]]) for name, values in added.items()}


def _joined(events: Jets, kept: Booleans, new: Mapping[str, npt.NDArray[Any]]) -> Jets:
    """Some objects of the events and new ones; a column that is not known of the new ones is 0."""
    owner = np.concatenate([_owners(events)[kept], new["owner"]])
    order = np.argsort(owner, kind="stable")

    def joined(name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        more = new.get(name, np.zeros(len(new["owner"]))).astype(values.dtype)
        return np.concatenate([values[kept], more])[order]

    columns = {name: joined(name, getattr(events, name)) for name in ("pt", "d_eta", "d_phi", "mass")}
    other = {name: joined(name, values) for name, values in events.other.items()}
    return replace(events, **columns, other=other, counts=np.bincount(owner, minlength=len(events.counts)))


def _measured(events: Jets, rng: np.random.Generator) -> Jets:
    """With directions smeared, but that of the missing energy."""
    width = np.float32(ANGLE) * ((events.pt < ANGLE_PT) & ~_is(events, MISSING))
    in_eta, in_phi = width * rng.standard_normal((2, len(width)), np.float32)
    return _whole(replace(events, d_eta=events.d_eta + in_eta, d_phi=wrapped(events.d_phi + in_phi)))


def _whole(events: Jets) -> Jets:
    """With objects in descending pT, and the pT and energy of the event that follow from them.

    As the import defines them: the scalar sum of pT along eta = 0, with the invariant mass of all objects.
    """
    ordered = events.select(by_pt(events.pt, events.counts), events.counts)
    four = momenta(ordered).T
    squares = [ordered.sums(component).astype(np.float64) ** 2 for component in four]
    pt, mass_squared = ordered.sums(ordered.pt), np.maximum(squares[0] - sum(squares[1:]), 0)
    return replace(ordered, jet_pt=pt, jet_energy=np.sqrt(pt**2 + mass_squared).astype(np.float32))
