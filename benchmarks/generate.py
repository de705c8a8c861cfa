"""Speed of `resim generate`, as ratios measured in one run.

- `ratio_to_bare_pythia`: events per second of the whole chain with one view on one core (LHE reading, Pythia,
  clustering, matching, substructure of matched jets, writing) / events per second of a bare `pythia.next()` loop over
  the same events with the same settings. Only events that have rows are simulated, so only they count on both sides.
- `ratio_with_detector`: the same with the detector stage (`cards/delphes/cms.tcl`).
- `rehadron_cost`: what a view that freezes the parton shower adds, relative to what a full view adds.
- `speedup_2_workers`: `-j 1` time / `-j 2` time of the same job, start-up of the workers left out on neither side.

Every chain runs between two bare loops, and its time over their mean counts: a machine whose clock drifts disturbs
both sides alike. The median over the rounds is printed with its error. Initialization of Pythia is left out of the
first two. The shipped events are repeated up to `--n-events`, so that to create a file (30 ms) counts for little, as
in a real job.

    python benchmarks/generate.py [--json] [--n-events 1800] [--rounds 5] [--memory]
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pythia8mc
import yaml

from resim.card.generation_card import load_card
from resim.card.run_options import RunOptions
from resim.card.stages import DetectorSection
from resim.card.view_tree import View
from resim.common.cards import find_file
from resim.hard_scatter.rows import Wanted, select_rows
from resim.pairfile.writer import PairWriter
from resim.run.checkpoint import Checkpoint
from resim.run.planning import Run, plan_run
from resim.run.process_chunk import process
from resim.shower.pythia import EventFeed

CARD = Path(__file__).parents[1] / "cards/generate/qcd_jj.yaml"


def run_with(path: Path, freeze: str | None = None, detector: bool = False) -> Run:
    """The run of a card with the root view and, if asked for, a second one."""
    card = load_card(path)
    views = {"nominal": card.views["nominal"]}
    if freeze is not None:
        views["other"] = View.model_validate({"from": "nominal", "freeze": freeze})
    changes: dict[str, object] = {"views": views}
    if detector:
        changes["detector"] = DetectorSection(card=find_file(Path("cards/delphes/cms.tcl"), CARD))
    return plan_run(card.model_copy(update=changes), RunOptions(quiet=True))


def simulate(run: Run) -> None:
    """What `resim generate -j 1` does after its start-up: process, keep and join every chunk."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pairs.h5"
        with Checkpoint(output, "benchmark") as checkpoint:
            for chunk in run.read(run.chunks):
                checkpoint.save(chunk.number, process(run.plan, chunk))
            records = [view.record() for view in run.plan.views]
            with PairWriter(output, records, run.plan.labels, [source.sha256 for source in run.sources]) as writer:
                for spec in run.chunks:
                    writer.append(checkpoint.load(spec.number).block)


def bare_loop(run: Run) -> Callable[[], int]:
    """A loop that does nothing but `pythia.next()` over the events with rows; returns their number."""
    source = run.plan.sources[0]
    events = [
        scatter.event
        for chunk in run.read(run.chunks)
        for scatter in select_rows(
            chunk.events, source.path, source.sha256, Wanted(source.labels, run.plan.card.select)
        ).scatters
    ]
    pythia, feed = pythia8mc.Pythia("", False), EventFeed(source.beams)
    for line in ("Print:quiet = on", "Beams:frameType = 5", *run.plan.views[0].generator.lines):
        assert pythia.readString(line)
    pythia.setLHAupPtr(feed)
    assert pythia.init()

    def loop() -> int:
        for seed, event in enumerate(events, 1):
            feed.event = event
            pythia.rndm.init(seed)
            pythia.next()
        return len(events)

    return loop


def seconds(work: Callable[[], object]) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def chain_ratios(card: Path, rounds: int) -> dict[str, float]:
    """The ratios that compare single-core chains, and their errors."""
    runs = {str(freeze): run_with(card, freeze) for freeze in (None, "hard_scatter", "parton_shower")}
    bare = bare_loop(runs["None"])
    runs["detector"] = run_with(card, detector=True)
    works: dict[str, Callable[[], object]] = {name: partial(simulate, run) for name, run in runs.items()}
    for work in (bare, *works.values()):
        work()  # initializes Pythia and imports what is imported late
    cost = {name: np.empty(rounds) for name in works}
    for i in range(rounds):
        for name, work in works.items():
            before, own, after = seconds(bare), seconds(work), seconds(bare)
            cost[name][i] = 2 * own / (before + after)
    ratios = {
        "ratio_to_bare_pythia": 1 / cost["None"],
        "ratio_with_detector": 1 / cost["detector"],
        "rehadron_cost": (cost["parton_shower"] - cost["None"]) / (cost["hard_scatter"] - cost["None"]),
    }
    results = {name: float(np.median(values)) for name, values in ratios.items()}
    results |= {f"{name}_error": _error_of_median(values) for name, values in ratios.items()}
    return results | {"events_per_s": bare() / seconds(works["None"])}


def _error_of_median(values: np.ndarray) -> float:
    """1.25 sigma / sqrt(n), sigma from the median absolute deviation."""
    return float(1.25 * 1.48 * np.median(np.abs(values - np.median(values))) / np.sqrt(len(values)))


def worker_speedup(n_events: int) -> dict[str, float]:
    """How much faster two workers are than one, in commands of their own, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        card = _long_card(Path(folder), n_events, [])
        times = {}
        for workers in (1, 2):
            arguments = [str(card), "-o", f"{folder}/{workers}.h5", "-j", str(workers), "--quiet"]
            command = [sys.executable, "-c", "from resim.cli import main; main()", "generate", *arguments]
            times[workers] = seconds(partial(subprocess.run, command, check=True, capture_output=True))
    return {"speedup_2_workers": times[1] / times[2]}


def peak_memory(n_events: int) -> dict[str, float]:
    """Peak resident memory in MB of the parent and of the largest of its two workers, without underlying event."""
    with tempfile.TemporaryDirectory() as folder:
        card = _long_card(Path(folder), n_events, ["PartonLevel:MPI = off"])
        code = f"generate(Path({str(card)!r}), Path({folder!r}) / 'pairs.h5', RunOptions(workers=2, quiet=True))"
        done = subprocess.run([sys.executable, "-c", _MEMORY + code], check=True, capture_output=True, text=True)
    parent, worker = (int(kilobytes) / 1024 for kilobytes in done.stdout.split())
    return {f"parent_mb_{n_events}": parent, f"worker_mb_{n_events}": worker}


_MEMORY = """
import atexit, resource
from pathlib import Path
import psutil
from resim.run import generate as engine
from resim.run.generate import generate
from resim.card.run_options import RunOptions

PEAK = 0

def watch(*arguments, real=engine.Checkpoint.save):
    global PEAK
    for child in psutil.Process().children(recursive=True):
        for line in Path(f"/proc/{child.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                PEAK = max(PEAK, int(line.split()[1]))
    return real(*arguments)

engine.Checkpoint.save = watch
atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, PEAK))
"""
"""Workers are children of the fork server, not of the process that counts: look at them after every chunk."""


def _long_card(folder: Path, n_events: int, settings: list[str]) -> Path:
    """The benchmark's card on an LHE file of any length, with further settings of the root view."""
    content = yaml.safe_load(CARD.read_text(encoding="utf-8"))
    lhe = folder / "long.lhe"
    _repeat(find_file(Path(content["sources"][0]["lhe"]), CARD), lhe, n_events)
    content["sources"][0]["lhe"] = str(lhe)
    tune = str(find_file(Path("cards/pythia/monash.cmnd"), CARD))
    content["views"]["nominal"]["shower"] = {"card": tune, "settings": settings}
    card = folder / "card.yaml"
    card.write_text(yaml.safe_dump(content), encoding="utf-8")
    return card


def _repeat(path: Path, output: Path, n_events: int) -> None:
    """An LHE file of any length, made of the events of another one."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        head, *events = stream.read().split("<event>")
    events[-1] = events[-1].replace("</LesHouchesEvents>", "")
    with output.open("w", encoding="utf-8") as stream:
        stream.write(head)
        stream.writelines(f"<event>{events[i % len(events)]}" for i in range(n_events))
        stream.write("</LesHouchesEvents>\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of resim generate, as ratios measured in one run.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--n-events", type=int, default=1800)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="measure peak memory at 2,000 and 20,000 events too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = chain_ratios(_long_card(Path(folder), arguments.n_events, []), arguments.rounds)
    results |= worker_speedup(4 * arguments.n_events)
    if arguments.memory:
        results |= peak_memory(2_000) | peak_memory(20_000)
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        for name, value in results.items():
            print(f"{name:24s} {value:.3f}")


if __name__ == "__main__":
    main()
