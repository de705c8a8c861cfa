"""Speed of `resim generate`, as ratios measured in one run.

- `ratio_to_bare_pythia`: events per second of the whole chain with one view on one core (LHE reading, Pythia,
  clustering, matching, substructure of matched jets, writing) / events per second of a bare `pythia.next()` loop over
  the same events with the same settings. Only events that have rows are simulated, so only they count on both sides.
- `rehadron_cost`: what a view that freezes the parton shower adds, relative to what a full view adds.
- `speedup_2_workers`: `-j 1` time / `-j 2` time of the same job, start-up of the workers left out on neither side.

The sides of a ratio take turns in rounds, and the median over the rounds is used, so that a noisy machine disturbs
both alike. Initialization of Pythia is left out of the first two.

    python benchmarks/generate.py [--json] [--n-events 300] [--rounds 3]
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pythia8mc

from resim.config import View, load_card
from resim.engine import Options, chunks, generate, make_plan
from resim.hard_scatter.partons import find_partons, rejection
from resim.hard_scatter.reading import parse_event
from resim.parts import Parts
from resim.pipeline import Plan, process
from resim.shower.pythia import EventFeed
from resim.views import plan_views
from resim.writer import PairWriter

CARD = Path(__file__).parents[1] / "cards/generate/qcd_jj.yaml"


def plan_with(options: Options, freeze: str | None) -> Plan:
    """The plan of the benchmark's card with the root view and, if asked for, a second one."""
    card = load_card(CARD)
    views = {"nominal": card.views["nominal"]}
    if freeze is not None:
        views["other"] = View.model_validate({"from": "nominal", "freeze": freeze})
    card = card.model_copy(update={"views": views})
    plan, _ = make_plan(card, options)
    return replace(plan, views=plan_views(card))


def simulate(plan: Plan, options: Options) -> None:
    """What `resim generate -j 1` does after its start-up: process, keep and join every chunk."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "pairs.h5"
        with Parts(output, "benchmark") as parts:
            numbers = []
            for chunk in chunks(plan, options):
                parts.save(chunk.number, process(plan, chunk))
                numbers.append(chunk.number)
            records = [view.record() for view in plan.views]
            with PairWriter(output, records, plan.labels, [plan.sources[0].sha256]) as writer:
                for number in numbers:
                    writer.append(parts.load(number).block)


def bare_loop(plan: Plan, options: Options) -> Callable[[], int]:
    """A loop that does nothing but `pythia.next()` over the events with rows; returns their number."""
    source = plan.sources[0]
    events = []
    for chunk in chunks(plan, options):
        for index, text in chunk.events:
            event = parse_event(text, source.path, index)
            partons = find_partons(event, source.labels)
            if any(rejection(parton, plan.card.select) is None for parton in partons):
                events.append(event)
    pythia, feed = pythia8mc.Pythia("", False), EventFeed(source.beams)
    for line in ("Print:quiet = on", "Beams:frameType = 5", *plan.views[0].settings):
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


def chain_ratios(n_events: int, rounds: int) -> dict[str, float]:
    """The ratios that compare single-core chains."""
    options = Options(n_events=n_events, quiet=True)
    plans = {freeze: plan_with(options, freeze) for freeze in (None, "hard_scatter", "parton_shower")}
    bare = bare_loop(plans[None], options)
    works: dict[str, Callable[[], object]] = {"bare": bare}
    works |= {str(freeze): (lambda plan=plan: simulate(plan, options)) for freeze, plan in plans.items()}
    for work in works.values():
        work()  # initializes Pythia and imports what is imported late
    times = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(seconds(work))
    median = {name: statistics.median(values) for name, values in times.items()}
    added = {freeze: median[freeze] - median["None"] for freeze in ("hard_scatter", "parton_shower")}
    return {
        "ratio_to_bare_pythia": median["bare"] / median["None"],
        "rehadron_cost": added["parton_shower"] / added["hard_scatter"],
        "events_per_s": bare() / median["None"],
    }


def worker_speedup(n_events: int) -> dict[str, float]:
    """How much faster two workers are than one, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        times = {}
        for workers in (1, 2):
            options = Options(n_events=n_events, workers=workers, quiet=True)
            output = Path(folder) / f"{workers}.h5"
            times[workers] = seconds(lambda output=output, options=options: generate(CARD, output, options))
    return {"speedup_2_workers": times[1] / times[2]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of resim generate, as ratios measured in one run.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--n-events", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    results = chain_ratios(arguments.n_events, arguments.rounds) | worker_speedup(5 * arguments.n_events)
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        for name, value in results.items():
            print(f"{name:24s} {value:.3f}")


if __name__ == "__main__":
    main()
