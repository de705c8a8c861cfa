"""Speed of the detector stage: events per second on one core, propagation included.

The events are the 100 QCD events of `tests/data/delphes_qcd.npz` (550 stable particles each), repeated to a batch of
500 with different seeds. The time is that of the process, the median over the rounds.

    python benchmarks/detector.py [--json] [--card cards/delphes/cms.tcl] [--rounds 9] [--profile]
"""

import argparse
import cProfile
import json
import pstats
import resource
import statistics
import time
from pathlib import Path

import numpy as np

from resim.common.ragged import offsets_of
from resim.detector import Detector
from resim.particles import Particles
from tests.helpers.delphes_recording import load_recording

ROOT = Path(__file__).parents[1]


def batch(n_events: int) -> Particles:
    """The recorded events, one after the other, again and again."""
    particles = load_recording(ROOT / "tests/data/delphes_qcd.npz").particles
    repeats = -(-n_events // particles.n_events)
    lengths = np.tile(np.diff(particles.offsets), repeats)[:n_events]
    columns = {name: getattr(particles, name) for name in Particles.__slots__ if name != "offsets"}
    rows = {name: np.tile(column, repeats)[: lengths.sum()] for name, column in columns.items()}
    return Particles(offsets=offsets_of(lengths), **rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of the detector stage.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--card", type=Path, default=ROOT / "cards/delphes/cms.tcl")
    parser.add_argument("--n-events", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    arguments = parser.parse_args()
    particles, seeds = batch(arguments.n_events), np.arange(arguments.n_events)
    start = time.perf_counter()
    detector = Detector.from_card(arguments.card)
    reading = time.perf_counter() - start
    detector.run(particles, seeds)
    if arguments.profile:
        with cProfile.Profile() as profile:
            detector.run(particles, seeds)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    times = []
    for _ in range(arguments.rounds):
        start = time.process_time()
        detector.run(particles, seeds)
        times.append(time.process_time() - start)
    results = {
        "detector_events_per_s": arguments.n_events / statistics.median(times),
        "particles_per_event": len(particles.px) / arguments.n_events,
        "card_s": reading,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        for name, value in results.items():
            print(f"{name:24s} {value:.3f}")


if __name__ == "__main__":
    main()
