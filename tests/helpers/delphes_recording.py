"""Recorded runs of Delphes itself: generated particles in, particle-flow candidates out.

A recording is an `.npz` file with these arrays; `*_offsets` hold where the events start, GeV and mm throughout:

- `gen_`: `offsets pdgid px py pz e mass vx vy vz charge`, and `eta_calo phi_calo`, the direction in which the origin
  sees the point where the particle leaves the tracker, NaN for particles that Delphes does not propagate;
- `track_` (before the calorimeters): `offsets pt gen`, `gen` counting from the start of the event;
- `eftrack_`: `offsets pt eta phi mass d0 dz charge pid gen`;
- `efphoton_`, `efneutral_`: `offsets et eta phi e`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats
from resim.common.errors import InputError
from resim.detector.particle_flow import candidates_of
from resim.particles import Candidates, Particles


@dataclass(frozen=True, slots=True)
class Recording:
    """A run of Delphes.

    Attributes:
        particles: what went in.
        outer_eta, outer_phi: `(n_particles,)`, where they leave the tracker; NaN for those not propagated.
        found: `(n_particles,)`, whether a particle has a track.
        track_pt: `(n_particles,)`, pT of its track before the calorimeters, GeV; NaN without a track.
        candidates: what came out, in every event tracks, photons, neutral hadrons.
    """

    particles: Particles
    outer_eta: Floats
    outer_phi: Floats
    found: npt.NDArray[np.bool_]
    track_pt: Floats
    candidates: Candidates


def load_recording(path: Path) -> Recording:
    """Read a recording.

    Raises:
        InputError: the file cannot be read, or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        particles = _particles(arrays)
        track = particles.offsets[_events(arrays, "track")] + arrays["track_gen"]
        found, track_pt = np.zeros(len(particles.px), bool), np.full(len(particles.px), np.nan)
        found[track], track_pt[track] = True, arrays["track_pt"]
        outer_eta, outer_phi = (_floats(arrays, f"gen_{name}_calo") for name in ("eta", "phi"))
        return Recording(particles, outer_eta, outer_phi, found, track_pt, _candidates(arrays))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a recording of Delphes ({error}); want an .npz file") from error
    except KeyError as error:
        raise InputError(
            f"{path}: array {error} is missing; see tests.helpers.delphes_recording for what is needed"
        ) from error


def _floats(arrays: dict[str, Any], name: str) -> Floats:
    return np.asarray(arrays[name], np.float64)


def _events(arrays: dict[str, Any], prefix: str) -> npt.NDArray[np.int64]:
    lengths = np.diff(arrays[f"{prefix}_offsets"])
    return np.repeat(np.arange(len(lengths)), lengths)


def _particles(arrays: dict[str, Any]) -> Particles:
    names = {"energy": "e"} | {name: name for name in ("px", "py", "pz", "mass", "charge", "vx", "vy", "vz")}
    return Particles(
        offsets=arrays["gen_offsets"].astype(np.int64),
        pdg_id=arrays["gen_pdgid"].astype(np.int32),
        **{field: _floats(arrays, f"gen_{name}") for field, name in names.items()},
    )


def _candidates(arrays: dict[str, Any]) -> Candidates:
    tracks: dict[str, npt.NDArray[Any]] = {
        name: _floats(arrays, f"eftrack_{name}") for name in ("pt", "eta", "phi", "mass", "d0", "dz", "charge")
    }
    tracks |= {"event": _events(arrays, "eftrack"), "pdg_id": arrays["eftrack_pid"], "origin": arrays["eftrack_gen"]}
    photons, neutral_hadrons = (
        {
            "event": _events(arrays, prefix),
            "pt": _floats(arrays, f"{prefix}_et"),
            "eta": _floats(arrays, f"{prefix}_eta"),
            "phi": _floats(arrays, f"{prefix}_phi"),
        }
        for prefix in ("efphoton", "efneutral")
    )
    return candidates_of(tracks, photons, neutral_hadrons, len(arrays["gen_offsets"]) - 1)
