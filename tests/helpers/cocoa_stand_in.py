"""A stand-in for the executable COCOA: its command line, its files, and the ways in which it fails.

Every visible particle inside |eta| < 3 leaves all its energy in one cell, which is a cluster; charged ones have a
track. STAND_IN_MODE says what it should do, STAND_IN_CALLS is a file that every call is noted in. COCOA's branches are
`std::vector`s, which uproot reads as the arrays of variable length that it can write.
"""

# ruff: noqa: T201 - an executable may print

import json
import os
import signal
from pathlib import Path

import awkward as ak
import numpy as np
import pyhepmc
import uproot

CHARGED = (11, 13, 211, 321, 2212, 3112, 3222, 3312, 3334)
NEGATIVE = (11, 13, 3112, 3312, 3334)
"""PDG ids of particles with a negative charge."""
LAYERS = 6
RADIUS = 1500.0
"""Where layers are crossed, mm; tracks are straight."""


def main(arguments: list[str]) -> int:
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    macro = dict(line.split() for line in Path(given["--macro"]).read_text().splitlines())
    mode = os.environ.get("STAND_IN_MODE", "")
    assert set(given) == {"--macro", "--config", "--input", "--output", "--seed", "--nevents"}
    assert macro["/generator/hepmc/open"] == given["--input"]
    assert macro["/generator/select"] == "hepmc"
    with Path(os.environ["STAND_IN_CALLS"]).open("a", encoding="utf-8") as calls:
        tables = sorted(path.name for path in Path().iterdir() if path.is_dir())
        config = json.loads(Path(given["--config"]).read_text())
        calls.write(
            json.dumps({"seed": given["--seed"], "n": given["--nevents"], "tables": tables, "config": config})
        )
        calls.write("\n")
    print("chatter on standard output")
    if mode == "fails":
        print("Error!!! There is no ./tracking_configuration/d0_resolution.csv")
        return 1
    if mode == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    with pyhepmc.open(given["--input"]) as stream:
        events = [simulated(event, float(given["--seed"])) for event in stream]
    write(Path(given["--output"]), events[: int(given["--nevents"])])
    return 0


def simulated(event, seed: float) -> dict[str, np.ndarray]:
    """Branches of an event of pyhepmc, as COCOA has them: MeV, mm."""
    final = [p for p in event.particles if p.status == 1]
    columns = np.array([(p.pid, *p.momentum, *list(p.production_vertex.position)[:3]) for p in final]).reshape(-1, 8)
    return branches(columns, seed)


def branches(particles: np.ndarray, seed: float = 0.0) -> dict[str, np.ndarray]:
    """Branches of an event from its particles, in another order than theirs.

    Args:
        particles: `(n, 8)`, PDG id, px, py, pz, E in GeV, and vertex in mm.
        seed: of the run.
    """
    inside = np.abs(np.arcsinh(particles[:, 3] / np.hypot(particles[:, 1], particles[:, 2]))) < 3
    pdg_id, px, py, pz, energy, x, y, z = particles[inside][::-1].T
    pt = np.hypot(px, py)
    phi, eta, charged = np.arctan2(py, px), np.arcsinh(pz / pt), np.isin(np.abs(pdg_id), CHARGED)
    sign = np.sign(pdg_id) * np.where(np.isin(np.abs(pdg_id), NEGATIVE), -1, 1)
    track = np.flatnonzero(charged)[::-1]
    index = np.full(len(pt), -1)
    index[track] = np.arange(len(track))
    label = 1 + np.arange(len(pt))
    found = {
        "cell_layer": np.where(pdg_id == 22, 1, 3),
        "cell_eta": eta,
        "cell_phi": np.where(phi < 0, phi + 2 * np.pi, phi),
        "cell_e": 1e3 * energy * (1 + 0.01 * np.sin(seed)),
        "cell_topo_idx": label,
        "particle_pdgid": pdg_id,
        "particle_pt": 1e3 * pt,
        "particle_eta": eta,
        "particle_phi": phi,
        "particle_e": 1e3 * energy,
        "particle_track_idx": index,
        "track_pdgid": pdg_id[track],
        "track_d0": ((x * py - y * px) / pt)[track],
        "track_z0": (z - (x * px + y * py) * pz / pt**2)[track],
        "track_theta": np.arctan2(pt, pz)[track],
        "track_phi": phi[track],
        "track_qoverp": (1e-3 * sign / np.hypot(pt, pz))[track],
        "track_reconstructed": np.ones(len(track)),
        "track_in_acceptance": np.ones(len(track)),
        "topo_idx": label,
        "topo_e": 1e3 * energy,
    }
    for layer in range(LAYERS):
        radius = RADIUS + 100 * layer
        place = {"x": radius * np.cos(phi), "y": radius * np.sin(phi), "z": radius * np.sinh(eta)}
        found |= {f"track_{axis}_layer_{layer}": values[track] for axis, values in place.items()}
    return {name: values.astype("<i4" if name in INTEGERS else "<f4") for name, values in found.items()}


INTEGERS = {"cell_layer", "cell_topo_idx", "particle_pdgid", "particle_track_idx"} | {
    f"track_{name}" for name in ("pdgid", "reconstructed", "in_acceptance")
}


def write(output: Path, events: list[dict[str, np.ndarray]], tree: str = "Out_Tree") -> None:
    """A ROOT file with an entry for each event."""
    arrays = {
        name: ak.unflatten(np.concatenate([event[name] for event in events]), [len(event[name]) for event in events])
        for name in events[0]
    }
    with uproot.recreate(output) as file:
        file.mktree(tree, arrays)
