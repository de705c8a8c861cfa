"""A stand-in for the executable DelphesHepMC3: its command line, its files, and the ways in which it fails.

It sees every final particle as it is: tracks of charged ones, photons, and neutral hadrons of all others, with
straight tracks. It takes events from the text as Delphes does, which counts vertices and particles down from the
numbers of the E line, and what is in them from pyhepmc. STAND_IN_MODE says what it should do, STAND_IN_CALLS is a file
that every call is noted in.
"""

# ruff: noqa: T201 - an executable may print

import json
import os
import re
import signal
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pyhepmc
import uproot

CHARGED = (11, 13, 211, 321, 2212, 3112, 3222, 3312, 3334)
NEGATIVE = (11, 13, 3112, 3312, 3334)
"""PDG ids of particles with a negative charge."""


def main(arguments: list[str]) -> int:
    card, output, events = arguments
    text = Path(card).read_text()
    mode = os.environ.get("STAND_IN_MODE", "")
    with Path(os.environ["STAND_IN_CALLS"]).open("a", encoding="utf-8") as calls:
        calls.write(json.dumps({"arguments": arguments, "card": text, "hepmc": Path(events).read_text()}) + "\n")
    print("chatter on standard output")
    assert not Path(output).exists(), "Delphes refuses to write over a file"
    if mode == "fails":
        print("** ERROR: module 'Nonsense' is specified in ExecutionPath but not configured.", file=sys.stderr)
        return 1
    if mode == "crashes":
        os.kill(os.getpid(), signal.SIGSEGV)
    if mode != "no output":
        write(Path(output), mode, seed=int(re.findall(r"RandomSeed (\d+)", text)[-1]), events=Path(events))
    return 0


def complete_events(text: str) -> list[int]:
    """Numbers of the events that Delphes 3.5 finds ready: all particles, all vertices and the root vertex seen."""
    found, seen, vertices, particles, number = [], set[int](), 0, 0, 0
    for line in filter(None, text.splitlines()):
        key, *words = line.split()
        if key == "E":
            number, vertices, particles = (int(word) for word in words[:3])
            seen = set()
        elif key in "VP":
            code = int(words[0 if key == "V" else 1])
            vertices -= code not in seen
            particles -= key == "P"
            seen.add(code)
            if (vertices, particles) == (-1, 0):
                found.append(number)
    return found


def write(output: Path, mode: str, seed: int, events: Path) -> None:
    ready = complete_events(events.read_text())
    with pyhepmc.open(str(events)) as stream:
        seen = [flow(event, seed, mode) for event in stream if event.event_number in ready]
    if mode == "short":
        seen = seen[:-1]
    if mode == "swapped":
        seen[0], seen[1] = seen[1], seen[0]
    numbers = [number for number, _ in seen]
    if mode == "counts":
        numbers = list(range(1, len(seen) + 1))
    tree = {}
    for kind in ("EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron"):
        leaves = {
            name: ak.unflatten(
                np.concatenate([np.empty(0, dtype), *(found[kind][name] for _, found in seen)]).astype(dtype),
                [len(found[kind][name]) for _, found in seen],
            )
            for name, dtype in LEAVES[kind].items()
            if not (mode == "no errors" and name == "ErrorD0")
        }
        tree[kind] = ak.zip(leaves)
    tree["Event"] = ak.zip({"Number": ak.unflatten(np.array(numbers, np.int64), np.ones(len(seen), np.int64))})
    with uproot.recreate(output) as file:
        file.mktree(
            "Other" if mode == "no tree" else "Delphes",
            tree,
            counter_name=lambda name: f"{name}_size",
            field_name=lambda kind, leaf: f"{kind}.{leaf}",
        )
    if mode.startswith("cut"):
        content = output.read_bytes()
        output.write_bytes(content[: int(len(content) * float(mode.split()[1]))])


FLOAT = dict.fromkeys(("PT", "Eta", "Phi", "Mass", "D0", "DZ", "ErrorD0", "ErrorDZ"), "<f4")
TOWER = dict.fromkeys(("ET", "Eta", "Phi", "E"), "<f4")
LEAVES = {
    "EFlowTrack": {"PID": "<i4", "Charge": "<i4"} | FLOAT,
    "EFlowPhoton": TOWER,
    "EFlowNeutralHadron": TOWER,
}


def flow(event, seed: int, mode: str):
    """Number of the event and its particle flow, turned about the beam by an angle that the seed determines."""
    view = event.numpy.particles
    final = np.flatnonzero(view.status == 1)
    pid, mass = view.pid[final], view.generated_mass[final]
    px, py, pz, energy = (getattr(view, name)[final] for name in ("px", "py", "pz", "e"))
    every = event.particles
    place = np.array([list(every[i].production_vertex.position)[:3] for i in final.tolist()]).reshape(-1, 3)
    pt = np.hypot(px, py)
    phi = np.arctan2(py, px)
    if mode == "turns":
        phi = np.remainder(phi + seed % 1000 / 1000 + np.pi, 2 * np.pi) - np.pi
    charged, photon = np.isin(np.abs(pid), CHARGED), pid == 22
    charge = np.where(charged, np.sign(pid) * np.where(np.isin(np.abs(pid), NEGATIVE), -1, 1), 0)
    x, y, z = place.T
    columns = {
        "PID": pid,
        "PT": pt,
        "ET": pt,
        "Eta": np.arcsinh(pz / pt),
        "Phi": np.full_like(phi, np.nan) if mode == "nan" else phi,
        "E": energy,
        "Mass": mass,
        "Charge": charge,
        "D0": (x * py - y * px) / pt,
        "DZ": z - (x * px + y * py) * pz / pt**2,
        "ErrorD0": 0.01 * pt,
        "ErrorDZ": 0.02 * pt,
    }
    masks = {"EFlowTrack": charged, "EFlowPhoton": photon, "EFlowNeutralHadron": ~charged & ~photon}
    return event.event_number, {
        kind: {name: columns[name][mask] for name in LEAVES[kind]} for kind, mask in masks.items()
    }
