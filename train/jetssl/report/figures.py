"""Figures about a run, and those of `resim` about a pair file, with captions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jetssl.evaluation.metrics import wilson
from jetssl.evaluation.results import Baseline, Calibration, RocCurve
from jetssl.evaluation.table import PROBES, name_of
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.run_folder import RunFolder
from resim.pairfile.reader import PairFile
from resim.plots.observables import plot_pairs
from resim.plots.row import show_row
from resim.plots.style import VIEW_COLOURS, hep_style, save

COLOURS: dict[Baseline | None, str] = {
    None: "#c1272d",
    "random": "#1f5fa8",
    "features": "#3d7d3f",
    "wide_features": "#7a5195",
    "constituents": "#b07d2b",
    "images": "#008b8b",
    "efp": "#555555",
    "scratch": "#1f5fa8",
    "scratch_views": "#3d7d3f",
}
STYLES: dict[Baseline | None, str] = dict.fromkeys(COLOURS, "--") | {None: "-", "features": "-."}


@dataclass(frozen=True, slots=True)
class FigureFile:
    """A PNG and what one sees in it."""

    path: Path
    caption: str


def loss_curve(run: RunFolder, folder: Path) -> FigureFile:
    """Training and validation loss against the epoch, with that of a network that knows nothing, if there is one."""
    rows, card = read_metrics(run.metrics), run.load_card()
    epoch = [row["epoch"] for row in rows]
    n_classes = len({label for file in run.load_provenance().files for label in file.labels})
    chance = card.objective.chance(card.data.batch_size, n_classes)
    best = min(rows, key=lambda row: row["validation_loss"]) if card.objective.epochs_compare else rows[-1]
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        axes.plot(epoch, [row["loss"] for row in rows], "--", color="#1f5fa8", label="training")
        axes.plot(epoch, [row["validation_loss"] for row in rows], "o-", ms=4, color="#c1272d", label="validation")
        if chance is not None:
            axes.axhline(chance, color="0.5", ls=":", label="chance")
        axes.set(xlabel="Epoch", ylabel=card.objective.title)
        axes.legend()
        path = save(figure, folder / "loss.png")
    caption = (
        f"{card.objective.title} against the epoch. Validation rows, views and augmentations are the same in every"
        f" epoch. The checkpoint of epoch {best['epoch']:.0f}, with a loss of {best['validation_loss']:.3f}, is the"
        " one that is evaluated:"
    )
    caption += (
        " the lowest one."
        if card.objective.epochs_compare
        else " the last one, as targets change from epoch to epoch and losses do not compare."
    )
    if chance is not None:
        caption += f" Dotted: {chance:.2f}, the loss of a network that knows nothing, in full batches."
    return FigureFile(path, caption)


def roc_figures(curves: Sequence[RocCurve], folder: Path) -> list[FigureFile]:
    """Background rejection against signal efficiency, and calibration: a figure for each number of labels."""
    groups: dict[tuple[str, int, bool], list[RocCurve]] = {}
    for curve in curves:
        groups.setdefault((curve.task, curve.n_labels, curve.all_labels), []).append(curve)
    figures = []
    for index, group in enumerate(groups.values()):
        labels = f"{'all ' if group[0].all_labels else ''}{group[0].n_labels} labels"
        figures.append(_roc_figure(group, labels, folder / f"roc_{index}.png"))
        looked = list(zip(group, _looks(group), strict=True))
        figures += calibration_figure(looked, labels, folder / f"calibration_{index}.png")
    return figures


def _looks(curves: Sequence[RocCurve]) -> list[tuple[str, str, str]]:
    """Name, colour and style of each curve; vectors of other programs are dotted."""
    others = cycle(VIEW_COLOURS)
    return [
        (name_of(one.baseline), COLOURS.get(one.baseline) or next(others), STYLES.get(one.baseline, ":"))
        for one in curves
    ]


def _roc_figure(curves: Sequence[RocCurve], labels: str, output: Path) -> FigureFile:
    first = curves[0]
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        for curve, look in zip(curves, _looks(curves), strict=True):
            draw_roc(axes, curve, *look)
        axes.set(xlabel=r"Signal efficiency $\epsilon_s$", ylabel=r"Background rejection $1/\epsilon_b$")
        axes.set(yscale="log", xlim=(0, 1), ylim=(1, None))
        axes.legend(title=labels)
        path = save(figure, output)
    title = PROBES[first.method][0].lower()
    caption = (
        f"{first.task.replace('_vs_', ' vs ')}, {title} with {labels}: background rejection against"
        f" signal efficiency on the test split, mean background efficiency of all draws. Bands: 68 % binomial"
        f" interval from {first.n_background} background jets; curves of one figure share these jets."
        f" A curve ends where less than one background jet passes on average."
    )
    return FigureFile(path, caption)


def draw_roc(axes: Axes, curve: RocCurve, name: str, colour: str, style: str | tuple[float, Sequence[float]]) -> None:
    """Draw one curve with its binomial band, up to where less than one background jet passes."""
    signal, background = np.array(curve.signal_efficiency), np.array(curve.background_efficiency)
    shown = background * curve.n_background >= 1
    intervals = [wilson(value * curve.n_background, curve.n_background) for value in background[shown]]
    axes.plot(signal[shown], 1 / background[shown], ls=style, color=colour, label=name)
    low, high = (np.array([1 / getattr(interval, end) for interval in intervals]) for end in ("high", "low"))
    axes.fill_between(signal[shown], low, high, color=colour, alpha=0.15, lw=0)


def legend_of(axes: Axes, title: str | None = None) -> None:
    """The legend of the only axes of a figure: beside them, in a wider figure, where it would hide the curves."""
    handles, names = axes.get_legend_handles_labels()
    if len(names) <= _MOST_INSIDE:
        axes.legend(title=title, fontsize=9)
        return
    figure = cast("Figure", axes.figure)
    figure.set_figwidth(figure.get_figwidth() + 3)
    figure.legend(handles, names, loc="outside right upper", title=title, fontsize=9)


_MOST_INSIDE: Final = 6

Look = tuple[str, str, str]
"""Name, colour and line style of a curve."""


def calibration_figure(curves: Sequence[tuple[RocCurve, Look]], labels: str, output: Path) -> list[FigureFile]:
    """Share of signal against the probability of being signal, of curves of one task and number of labels.

    Args:
        curves: with their looks.
        labels: their number in words.
        output: a PNG.

    Returns:
        The figure; none where no record holds a calibration.
    """
    drawn = [(curve.calibration, look) for curve, look in curves if curve.calibration is not None]
    if not drawn:
        return []
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color="0.5", ls=":", label="calibrated")
        for calibration, look in drawn:
            _draw_calibration(axes, calibration, *look)
        axes.set(xlabel="probability of being signal", ylabel="share of signal", xlim=(0, 1), ylim=(0, 1))
        axes.legend(loc="upper left", fontsize=9, title=labels)
        path = save(figure, output)
    caption = (
        f"{curves[0][0].task.replace('_vs_', ' vs ')}: share of signal among the test jets of each bin of the"
        " probability that was said, all draws together. Bars: 68 % binomial intervals of the jets of one draw."
    )
    return [FigureFile(path, caption)]


def _draw_calibration(axes: Axes, calibration: Calibration, name: str, colour: str, style: str) -> None:
    seen = np.array(calibration.observed)
    inside = np.clip(seen, 0, 1)  # negative weights of events may put a share outside
    intervals = [wilson(share * n, n) for share, n in zip(inside, calibration.n_jets, strict=True)]
    low, high = (np.array([getattr(interval, end) for interval in intervals]) for end in ("low", "high"))
    errors = np.maximum([inside - low, high - inside], 0)
    axes.errorbar(calibration.predicted, seen, yerr=errors, fmt=f"o{style}", ms=4, lw=1, color=colour, label=name)


def pair_figures(path: Path, folder: Path) -> list[FigureFile]:
    """One row of each class in all views, and the jet observables by class and view."""
    folder.mkdir(parents=True, exist_ok=True)
    with PairFile(path) as file:
        views, examples = file.view_names, _example_rows(file)
        rows = len(file)
    figures = [
        FigureFile(
            show_row(path, row, folder / f"row_{row}.png"),
            f"One {label} jet (row {row}) in its {len(views)} views: the same hard parton, simulated anew. Area of a"
            " marker: pT; axes: pseudorapidity and azimuth.",
        )
        for label, row in examples.items()
    ]
    for plot in plot_pairs(path, folder):
        name = plot.stem.replace("_", " ")
        figures.append(
            FigureFile(
                plot,
                f"Jet {name} by class and view, {rows} rows; lower panels: ratio to the root view, with"
                " statistical errors as of independent samples (views share their hard scatters).",
            )
        )
    return figures


def _example_rows(file: PairFile) -> dict[str, int]:
    """A typical row of each of the two most frequent classes: valid in every view, of the class's median jet mass."""
    valid = np.logical_and.reduce([file.valid(view) for view in file.view_names])
    labels = file.label_names()
    names, counts = np.unique(labels[valid], return_counts=True)
    frequent = names[np.argsort(-counts, kind="stable")][:2]
    examples = {}
    for name in frequent:
        rows = np.flatnonzero(valid & (labels == name))
        mass = file.jets(file.view_names[0], "mass")[rows]
        examples[str(name)] = int(rows[np.argmin(np.abs(mass - np.median(mass)))])
    return examples
