"""What real Delphes writes: particle-flow objects in a ROOT file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt
import uproot

from resim.common.errors import InputError
from resim.detector.particle_flow import candidates_of
from resim.particles import Candidates

_TREE: Final = "Delphes"
_NUMBER: Final = "Event.Number"
_TRACKS: Final = {
    "pdg_id": "PID",
    "pt": "PT",
    "eta": "Eta",
    "phi": "Phi",
    "mass": "Mass",
    "charge": "Charge",
    "d0": "D0",
    "dz": "DZ",
    "d0_err": "ErrorD0",
    "dz_err": "ErrorDZ",
}
_TOWERS: Final = {"pt": "ET", "eta": "Eta", "phi": "Phi", "energy": "E"}
_KINDS: Final = {"EFlowTrack": _TRACKS, "EFlowPhoton": _TOWERS, "EFlowNeutralHadron": _TOWERS}


def read_candidates(path: Path, numbers: Sequence[int], written: npt.NDArray[np.bool_]) -> Candidates:
    """The particle flow of a ROOT file of Delphes.

    Args:
        path: the file.
        numbers: event numbers.
        written: `(n_events,)`, which of them the file must have, in this order.

    Returns:
        Candidates of all events: tracks, photons, neutral hadrons, without those of no pT. `origin` is not known.

    Raises:
        InputError: the file is missing or damaged, lacks a branch, or does not hold these events in this order.
    """
    if not path.is_file():
        raise InputError(f"{path.name} was not written")
    try:
        with uproot.open(path) as file:
            tree = file[_TREE]
            _check_branches(set(tree.keys(recursive=True, full_paths=False)))
            found = ak.ravel(tree[_NUMBER].array()).to_numpy()
            tracks, photons, neutrals = (_objects(tree, kind, branches) for kind, branches in _KINDS.items())
    except InputError:
        raise
    except Exception as error:  # uproot has a dozen kinds for files that are cut off or damaged
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"{path.name} is not readable: {type(error).__name__}: {reason}") from error
    places = np.flatnonzero(written)
    _check_order(found, [numbers[place] for place in places.tolist()])
    for kind in (tracks, photons, neutrals):
        kind["event"] = places[kind["event"]]
    return candidates_of(tracks, photons, neutrals, len(numbers))


def _check_branches(present: set[str]) -> None:
    wanted = [_NUMBER, *(f"{kind}.{leaf}" for kind, leaves in _KINDS.items() for leaf in leaves.values())]
    if missing := [name for name in wanted if name not in present]:
        raise InputError(
            f"the output has no {', '.join(missing[:3])}; want Delphes 3.5, and a card whose TreeWriter adds the"
            " branches EFlowTrack Track, EFlowPhoton Tower and EFlowNeutralHadron Tower"
        )


def _check_order(found: npt.NDArray[Any], numbers: Sequence[int]) -> None:
    for place, (number, wanted) in enumerate(zip(found.tolist(), numbers, strict=False)):
        if number != wanted:
            raise InputError(f"entry {place} of the output is event {number}, want event {wanted}")
    if len(found) != len(numbers):
        raise InputError(f"the output holds {len(found)} events, {len(numbers)} were given")


def _objects(tree: Any, kind: str, branches: dict[str, str]) -> dict[str, npt.NDArray[Any]]:
    """The columns of one kind of objects, and the event of each; what has no pT is left out."""
    jagged = {name: tree[f"{kind}.{leaf}"].array() for name, leaf in branches.items()}
    lengths = {name: ak.num(array).to_numpy() for name, array in jagged.items()}
    columns = {name: ak.flatten(array).to_numpy().astype(np.float64) for name, array in jagged.items()}
    columns["event"] = np.repeat(np.arange(tree.num_entries), lengths["pt"])
    for name, column in columns.items():
        if len(column) != len(columns["event"]) or not np.isfinite(column).all():
            raise InputError(f"{kind}.{branches[name]} holds numbers that are not finite, or not one for each object")
    if "mass" in columns:
        columns["mass"] = np.maximum(columns["mass"], 0)  # ROOT gives those of spacelike rounding a minus sign
    return {name: column[columns["pt"] > 0] for name, column in columns.items()}
