"""The section of the page about robustness: what `jetssl evaluate` wrote into a folder."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jetssl.evaluation.evaluate import FILES
from jetssl.evaluation.metrics import wilson
from jetssl.evaluation.results import Distribution, Result, read_distributions, read_results
from jetssl.evaluation.robustness_tables import robustness_tables
from jetssl.report.figures import FigureFile
from jetssl.report.section import PageSection, embedded
from resim.common.arrays import Floats
from resim.plots.histogram import Histogram
from resim.plots.observables import draw_counts, draw_ratios
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save

AXES = {
    "score": "probability of being signal",
    "mass": "jet mass [GeV]",
    "n_constituents": "number of constituents",
    "n_displaced": "charged particles with |d0| > 0.1 mm",
}
"""Label of each quantity."""


SHOWN = 0.1
"""Share of the test jets from which on a class has a panel; all are in the tables and records."""


def is_robustness(folder: Path) -> bool:
    """Whether `jetssl evaluate` wrote the folder."""
    if not all((folder / name).is_file() for name in FILES):
        return False
    return any(shape.quantity == "score" for shape in read_distributions(folder / FILES[2]))


def robustness_section(folder: Path, scratch: Path) -> PageSection:
    """Tables and figures of a folder of `jetssl evaluate`.

    Raises:
        InputError: its files are unreadable or of another schema.
    """
    scratch.mkdir(parents=True)
    results, shapes = read_results(folder / FILES[0]), read_distributions(folder / FILES[2])
    first = results[0]
    classes = _frequent(shapes, first)
    groups: dict[tuple[str | None, str], list[Distribution]] = {}
    for shape in shapes:
        if shape.jet_class in classes:
            groups.setdefault((shape.run, shape.quantity), []).append(shape)
    distances = [result for result in results if result.metric == "wasserstein_1" and result.jet_class in classes]
    figures = [distance_figure(distances, scratch / "distances.png")]
    for number, run in enumerate(dict.fromkeys(shape.run for shape in shapes if shape.quantity == "score")):
        of_run = [shape for shape in shapes if shape.run == run and shape.quantity == "score"]
        figures.append(reliability_figure(of_run, first.task, scratch / f"reliability_{number}.png"))
    for number, ((run, quantity), group) in enumerate(groups.items()):
        figures.append(view_figure(run, quantity, group, scratch / f"views_{number}.png"))
    return PageSection(
        title=folder.resolve().name,
        kind="robustness",
        facts=[("command", first.command), ("seed", str(first.seed)), ("test jets", f"{first.n_test:,}")],
        tables=robustness_tables(results),
        pictures=[embedded(figure) for figure in figures],
        card="",
    )


def _frequent(shapes: Sequence[Distribution], first: Result) -> set[str | None]:
    """Classes that get a panel; sums of classes do not."""
    counts = {shape.jet_class: sum(shape.counts) for shape in shapes if shape.view == first.view}
    return {name for name, jets in counts.items() if jets >= SHOWN * first.n_test and "+" not in (name or "")}


def view_figure(run: str | None, quantity: str, shapes: Sequence[Distribution], output: Path) -> FigureFile:
    """A quantity by class and view, with ratios to the first view."""
    by_class: dict[str, dict[str, Histogram]] = {}
    for shape in shapes:
        histogram = Histogram(np.array(shape.edges), np.array(shape.counts))
        by_class.setdefault(shape.jet_class or "all", {})[shape.view] = histogram
    with hep_style():
        figure = Figure(figsize=(1.2 + 4.9 * len(by_class), 6), layout="constrained")
        panels = figure.subplots(2, len(by_class), squeeze=False, sharex="col", height_ratios=[3, 1.2])
        for column, (name, histograms) in enumerate(by_class.items()):
            draw_counts(panels[0, column], histograms)
            draw_ratios(panels[1, column], histograms)
            panels[0, column].set_title(literal(name), loc="left")
            panels[1, column].set_xlabel(AXES[quantity])
            if quantity in {"score", "n_displaced"}:
                _logarithmic(panels[0, column], histograms)
        panels[0, 0].set_ylabel("jets / bin")
        panels[1, 0].set_ylabel(f"ratio to\n{literal(shapes[0].view)}")
        path = save(figure, output)
    of_run = f" of {run}" if run else ""
    title = AXES[quantity][0].upper() + AXES[quantity][1:]
    caption = (
        f"{title}{of_run} by class and view, same hard scatters; lower panels: ratio to"
        f" {shapes[0].view}, errors as of independent samples."
    )
    last_bin = " The last bin holds everything beyond it."
    caption += " Counts are means over the fits of the run." if quantity == "score" else last_bin
    return FigureFile(path, caption)


def reliability_figure(shapes: Sequence[Distribution], task: str, output: Path) -> FigureFile:
    """Share of signal among the jets of each bin of the probability of being signal, by view.

    Args:
        shapes: scores of one run.
        task: as in the records; both of its sides are among the classes of the shapes.
        output: a PNG.
    """
    sides = task.split("_vs_")
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.5", ls=":", label="calibrated")
        views = dict.fromkeys(shape.view for shape in shapes)
        for view, colour in zip(views, cycle(VIEW_COLOURS), strict=False):
            signal, background = (
                next(np.array(s.counts) for s in shapes if (s.view, s.jet_class) == (view, side)) for side in sides
            )
            _draw_reliability(axes, np.array(shapes[0].edges), signal, signal + background, literal(view), colour)
        axes.set(xlabel=AXES["score"], ylabel="share of signal", xlim=(0, 1), ylim=(0, 1))
        axes.legend(loc="upper left", fontsize=9)
        path = save(figure, output)
    caption = (
        f"Calibration of {shapes[0].run} by view: share of signal among the test jets of each bin of the"
        f" {AXES['score']}. Bars: 68 % binomial intervals; counts are means over the fits of the run."
    )
    return FigureFile(path, caption)


def _draw_reliability(  # noqa: PLR0913, PLR0917
    axes: Axes, edges: Floats, signal: Floats, total: Floats, name: str, colour: str
) -> None:
    filled = total > 0
    centres, seen = ((edges[:-1] + edges[1:]) / 2)[filled], (signal / np.maximum(total, 1e-9))[filled]
    intervals = [wilson(one, of) for one, of in zip(signal[filled], total[filled], strict=True)]
    low, high = (np.array([getattr(interval, end) for interval in intervals]) for end in ("low", "high"))
    errors = np.maximum([seen - low, high - seen], 0)
    axes.errorbar(centres, seen, yerr=errors, fmt="o-", ms=4, lw=1, color=colour, label=name)


def _logarithmic(axes: Axes, histograms: dict[str, Histogram]) -> None:
    top = max(histogram.counts.max() for histogram in histograms.values())
    axes.set(yscale="log", ylim=(0.5, max(top, 1.0) ** 1.6))


def distance_figure(results: Sequence[Result], output: Path) -> FigureFile:
    """Wasserstein-1 distance to each view by class, one marker for each run, with its null value.

    Args:
        results: records of this metric.
        output: a PNG.
    """
    found = [result for result in results if result.metric == "wasserstein_1"]
    views, classes, runs = (
        list(dict.fromkeys(getattr(r, key) for r in found)) for key in ("other_view", "jet_class", "run")
    )
    with hep_style():
        figure = Figure(figsize=(1.2 + 4.9 * len(classes), 4.6), layout="constrained")
        panels = figure.subplots(1, len(classes), squeeze=False, sharey=True)[0]
        for axes, name in zip(panels, classes, strict=True):
            for number, run in enumerate(runs):
                _draw_distances(axes, [r for r in results if r.jet_class == name and r.run == run], number, len(runs))
            axes.set_xticks(range(len(views)), [literal(view) for view in views])
            axes.tick_params(axis="x", which="minor", bottom=False, top=False)
            axes.set_xlim(-0.5, len(views) - 0.5)
            axes.set_title(literal(name), loc="left")
        panels[0].set_ylabel("Wasserstein-1 distance")
        panels[0].set_ylim(0, 1.35 * panels[0].get_ylim()[1])
        panels[0].legend(loc="upper left", fontsize=9)
        path = save(figure, output)
    caption = (
        f"Wasserstein-1 distance of the score between {results[0].view} and each other view, by class. Bars: one"
        " standard deviation; short lines: what chance alone gives (disjoint halves)."
    )
    return FigureFile(path, caption)


def _draw_distances(axes: Axes, results: Sequence[Result], number: int, of: int) -> None:
    place = np.arange(len(results)) + (number - (of - 1) / 2) * 0.6 / of
    colour = VIEW_COLOURS[number % len(VIEW_COLOURS)]
    values, errors, nulls = (np.array([getattr(r, key) for r in results]) for key in ("value", "error", "null"))
    axes.errorbar(place, values, yerr=errors, fmt="o", color=colour, label=literal(results[0].run or ""))
    axes.hlines(nulls, place - 0.25 / of, place + 0.25 / of, color=colour, linestyle=":")
