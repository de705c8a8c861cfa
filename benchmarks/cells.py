"""Speed and jets of the calorimeter of cells, beside Pythia and `cards/delphes/cms.tcl`, all on the same events.

The events are di-jets that Pythia makes here (13 TeV, pT > 100 GeV at the hard scatter). Times are those of the
process, on one core; the median over the rounds.

- `events_per_s`, `pythia_events_per_s`.
- `jets`: median of pT over that of the particle-level jet (R = 0.4, within 0.2, |eta| < 2.3) and half of the central
  68 % over it, in ranges of the latter and of |eta|, for both cards.
- `again`: half of the central 68 % of the relative change, over sqrt(2), where the same particles are measured twice.
- `per_jet`: cells, clusters and tracks of a jet above 25 GeV; with --pairs, bytes of its groups in that file.

    python benchmarks/cells.py [--json] [--n-events 1000] [--rounds 5] [--pairs FILE]
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Final

import h5py
import numpy as np
import pythia8mc

from resim.card.jet_settings import JetSettings
from resim.common.ragged import owners_of
from resim.detector import Detector
from resim.detector.cells.cell_detector import CellDetector
from resim.jets.clustering import ClusteredJets, cluster
from resim.jets.jet_cells import JetAxes, cells_of_jets
from resim.jets.matching import delta_r
from resim.particles import Candidates, Particles
from resim.shower.event_record import FinalParticles, join

ROOT: Final = Path(__file__).parents[1]
JETS: Final = JetSettings(radius=0.4, pt_min=15, abs_eta_max=2.3)
PT_MIN: Final = 25.0
"""GeV, of the jets of the talk."""
RANGES: Final = ((30, 60), (60, 100), (100, 150), (150, 400))
"""GeV, of particle-level jets."""
ETAS: Final = (0.0, 0.8, 1.5, 2.3)
"""Edges: barrel, where the barrel ends (|eta| = 1.5 in COCOA), end caps."""
SETTINGS: Final = ("Print:quiet = on", "Beams:eCM = 13000", "HardQCD:all = on", "PhaseSpace:pTHatMin = 100")


def generate(n_events: int) -> tuple[Particles, float]:
    """Stable particles of di-jet events, and the seconds that `pythia.next()` took."""
    pythia, final, events, seconds = pythia8mc.Pythia("", False), FinalParticles(), [], 0.0
    for line in (*SETTINGS, "Random:setSeed = on", "Random:seed = 7"):
        assert pythia.readString(line)
    assert pythia.init()
    for _ in range(n_events):
        start = time.process_time()
        pythia.next()
        seconds += time.process_time() - start
        events.append(final(pythia.event))
    return join(events), seconds


def half_width(values: np.ndarray) -> float:
    """Half of the central 68 %."""
    low, high = np.quantile(values, (0.16, 0.84))
    return float(high - low) / 2


def pairs_of(first: ClusteredJets, second: ClusteredJets) -> tuple[np.ndarray, np.ndarray]:
    """Indices of jets of two measurements of the same events that lie within 0.2 of each other, the hardest first."""
    event, other = owners_of(first.offsets), second.offsets
    found = []
    for jet in range(len(event)):
        candidates = np.arange(other[event[jet]], other[event[jet] + 1])
        eta, phi = second.eta[candidates], second.phi[candidates]
        near = delta_r(first.eta[jet], first.phi[jet], eta, phi) < JETS.radius / 2
        found += [(jet, candidates[np.argmax(near)])] if near.any() else []
    left, right = np.array(found).T
    return left, right


def response(particles: ClusteredJets, measured: ClusteredJets) -> list[dict[str, float]]:
    """Response and resolution in ranges of particle-level pT, and of |eta| above `PT_MIN`."""
    true, seen = pairs_of(particles, measured)
    ratio, pt, eta = measured.pt[seen] / particles.pt[true], particles.pt[true], np.abs(particles.eta[true])
    hard = pt > PT_MIN
    inside = [("pt", low, (pt > low) & (pt < high)) for low, high in RANGES]
    inside += [("abs_eta", low, hard & (eta > low) & (eta < high)) for low, high in pairwise(ETAS)]
    rows = []
    for axis, low, chosen in inside:
        median = float(np.median(ratio[chosen]))
        resolution = half_width(ratio[chosen]) / median
        rows.append({axis: low, "jets": int(chosen.sum()), "response": median, "resolution": resolution})
    return rows


def changes(first: ClusteredJets, second: ClusteredJets) -> dict[str, float]:
    """How much jets change if the same particles are measured twice, one measurement's share."""
    one, two = pairs_of(first, second)
    kept = first.pt[one] > PT_MIN
    one, two = one[kept], two[kept]
    columns: dict[str, Callable[[ClusteredJets], np.ndarray]] = {
        "pt": lambda jets: jets.pt,
        "mass": lambda jets: jets.mass,
        "n_constituents": lambda jets: np.diff(jets.constituent_offsets),
    }
    relative = {
        name: 2 * (v(second)[two] - v(first)[one]) / (v(second)[two] + v(first)[one]) for name, v in columns.items()
    }
    return {"jets": len(one)} | {name: half_width(values) / 2**0.5 for name, values in relative.items()}


def per_jet(detector: CellDetector, particles: Particles) -> dict[str, float]:
    """Mean numbers of cells, clusters and tracks of jets."""
    found = detector.read_out(particles, np.arange(particles.n_events))
    jets = cluster(found.candidates, JETS.model_copy(update={"pt_min": PT_MIN}))
    own = cells_of_jets(found, JetAxes(owners_of(jets.offsets), jets.eta, jets.phi), JETS.radius)
    counts = {name: len(getattr(own, name).offsets) - 1 for name in ("cells", "clusters", "tracks")}
    return {name: float(getattr(own, name).offsets[-1]) / n for name, n in counts.items()}


def bytes_per_jet(path: Path) -> dict[str, float]:
    """Stored bytes of the ragged groups of a pair file, per valid jet."""
    with h5py.File(path) as file:
        views = file["views"].values()
        n_jets = sum(int(view["valid"][:].sum()) for view in views)
        groups = {name: [view[name] for view in views] for name in ("constituents", "cells", "clusters", "tracks")}
        return {
            f"{name}_bytes": sum(column.id.get_storage_size() for group in found for column in group.values())
            / n_jets
            for name, found in groups.items()
        }


def measure(n_events: int, rounds: int) -> dict[str, object]:
    """All but the sizes in a file."""
    particles, seconds = generate(n_events)
    detector = CellDetector.from_card(ROOT / "cards/calorimeter/cocoa.yaml")
    cms = Detector.from_card(ROOT / "cards/delphes/cms.tcl")
    detector.run(particles.events(0, 2), [1, 2])  # compiles
    times, measured = [], []
    for number in range(max(rounds, 2)):
        start = time.process_time()
        candidates: Candidates = detector.run(particles, np.arange(n_events) + number * n_events)
        times.append(time.process_time() - start)
        measured.append(cluster(candidates, JETS))
    true = cluster(particles.select(particles.visible), JETS)
    return {
        "events_per_s": n_events / statistics.median(times),
        "pythia_events_per_s": n_events / seconds,
        "jets": {
            "cocoa": response(true, measured[0]),
            "cms": response(true, cluster(cms.run(particles, np.arange(n_events)), JETS)),
        },
        "again": changes(measured[0], measured[1]),
        "per_jet": per_jet(detector, particles),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed and jets of the calorimeter of cells.")
    parser.add_argument("--json", action="store_true", help="print JSON on one line")
    parser.add_argument("--n-events", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pairs", type=Path, help="file made with cards/generate/resim_cells.yaml, for the bytes")
    arguments = parser.parse_args()
    results = measure(arguments.n_events, arguments.rounds)
    results |= bytes_per_jet(arguments.pairs) if arguments.pairs else {}
    print(json.dumps(results, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
