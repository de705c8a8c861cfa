"""Jet observables per class and view, with ratios to the root view and statistical errors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resim.card.view_tree import one_of_each_family
from resim.common.arrays import Floats
from resim.common.errors import InputError
from resim.pairfile.reader import PairFile
from resim.plots.histogram import Histogram
from resim.plots.sharing import plot_sharing
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save

_COUNTS: Final = ("n_constituents", "vertex_n_tracks")
_RATIO_RANGE: Final = (0.45, 1.55)


@dataclass(frozen=True, slots=True)
class Observable:
    """A jet column and how to draw it.

    Attributes:
        name: of the picture, and of the column in the schema unless `ratio_of` is given.
        label: axis label with its unit.
        range: axis range, or None for the central 99 % of the values.
        from_zero: whether an automatic range starts at 0.
        ratio_of: numerator and denominator, if it is a ratio of two columns.
        vertex: the column of the schema's vertices whose value of the most significant vertex is drawn.
    """

    name: str
    label: str
    range: tuple[float, float] | None
    from_zero: bool = False
    ratio_of: tuple[str, str] | None = None
    vertex: str | None = None

    def values(self, file: PairFile, view: str) -> Floats:
        """The observable of every row in a view; NaN where it is not defined."""
        if self.vertex is not None:
            offsets = file.vertex_offsets(view)
            leading = np.full(len(file), np.nan)
            some = np.diff(offsets) > 0
            leading[some] = file.vertices(view, self.vertex)[offsets[:-1][some]]
            return leading
        if self.ratio_of is None:
            column: Floats = file.jets(view, self.name).astype(float)
            return column
        over, under = (file.jets(view, column).astype(float) for column in self.ratio_of)
        ratio: Floats = np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0)
        return ratio


OBSERVABLES: Final = (
    Observable("pt", r"jet $p_\mathrm{T}$ [GeV]", None),
    Observable("eta", r"jet $\eta$", (-2.5, 2.5)),
    Observable("mass", "jet mass [GeV]", None, from_zero=True),
    Observable("softdrop_mass", "soft-drop mass [GeV]", None, from_zero=True),
    Observable("tau21", r"$\tau_{21}$", (0, 1), ratio_of=("tau2", "tau1")),
    Observable("tau32", r"$\tau_{32}$", (0, 1), ratio_of=("tau3", "tau2")),
    Observable("n_constituents", "number of constituents", None, from_zero=True),
)

VERTEX_OBSERVABLES: Final = (
    Observable("vertex_mass", "mass of the leading secondary vertex [GeV]", (0, 6.5), vertex="mass"),
    Observable("vertex_n_tracks", "tracks of the leading secondary vertex", (1.5, 9.5), vertex="n_tracks"),
    Observable(
        "vertex_significance",
        "flight distance of the leading secondary vertex / its error",
        None,
        from_zero=True,
        vertex="flight_3d_significance",
    ),
)
"""Of files with secondary vertices; jets without one are not counted."""


def plot_pairs(path: Path, output: Path) -> list[Path]:
    """Draw every observable of a pair file, and what views share: one picture each, one column of panels per class.

    Of a family of views the first one is drawn.

    Args:
        path: the pair file.
        output: folder for the pictures, created if missing.

    Returns:
        Paths of the pictures.

    Raises:
        InputError: the file has no valid row.
    """
    with PairFile(path) as file, hep_style():
        if not any(file.valid(view).any() for view in file.view_names):
            raise InputError(f"{path}: no row has a jet in any view, nothing to plot; loosen the card's cuts")
        output.mkdir(parents=True, exist_ok=True)
        drawn = OBSERVABLES + (VERTEX_OBSERVABLES if file.has_vertices else ())
        pictures = [_plot(file, observable, output / f"{observable.name}.png") for observable in drawn]
        return pictures + ([plot_sharing(file, output / "sharing.png")] if len(file.view_names) > 1 else [])


def _plot(file: PairFile, observable: Observable, output: Path) -> Path:
    labels = file.label_names()
    shown = [label for label in file.labels if (labels == label).any()]
    figure = Figure(figsize=(1.2 + 4.3 * len(shown), 5.6), layout="constrained")
    panels = figure.subplots(2, len(shown), squeeze=False, sharex="col", height_ratios=[3, 1.2])
    values = {view: observable.values(file, view) for view in one_of_each_family(file.view_names)}
    weights = file.hard_scatter("weight")
    differ = file.weights_differ
    for column, label in enumerate(shown):
        defined = {view: file.valid(view) & np.isfinite(values[view]) for view in values}
        chosen = {view: defined[view] & (labels == label) for view in values}
        rows = {view: values[view][chosen[view]] for view in values}
        histograms = _histograms(observable, rows, {view: weights[chosen[view]] for view in values} if differ else {})
        draw_counts(panels[0, column], histograms)
        draw_ratios(panels[1, column], histograms)
        panels[0, column].set_title(f"{literal(label)}  ({(labels == label).sum()} rows)", loc="left")
        panels[1, column].set_xlabel(observable.label)
    panels[0, 0].set_ylabel("sum of weights / bin" if differ else "jets / bin")
    panels[1, 0].set_ylabel(f"ratio to\n{literal(file.view_names[0])}")
    return save(figure, output)


def _histograms(observable: Observable, rows: dict[str, Floats], weights: dict[str, Floats]) -> dict[str, Histogram]:
    everything = np.concatenate(list(rows.values()))
    low, high = observable.range or _central_range(everything, observable.from_zero)
    n_bins = max(6, round(2 * (len(everything) / len(rows)) ** (1 / 3)))  # Rice's rule
    if observable.name in _COUNTS:  # bins of whole numbers, or a comb appears
        width = max(1, round((high - low) / n_bins))
        low, n_bins = np.floor(low + 0.5) - 0.5, int(np.ceil((high - low) / width))
        high = low + n_bins * width
    edges = np.linspace(low, high, n_bins + 1)
    return {view: Histogram.of(sample, edges, weights.get(view)) for view, sample in rows.items()}


def _central_range(values: Floats, from_zero: bool) -> tuple[float, float]:
    if len(values) == 0:
        return 0.0, 1.0
    low, high = np.quantile(values, [0.005, 0.995])
    low = 0.0 if from_zero else low
    return float(low), float(high if high > low else low + 1.0)


def draw_counts(axes: Axes, histograms: dict[str, Histogram]) -> None:
    """Histograms by view, each with its chi-squared against the first one."""
    import mplhep

    reference = next(iter(histograms.values()))
    for colour, (view, histogram) in zip(_colours(histograms), histograms.items(), strict=True):
        name = literal(view)
        mplhep.histplot(
            histogram.counts,
            histogram.edges,
            yerr=histogram.errors,
            ax=axes,
            label=name if histogram is reference else f"{name}  {_chi2(histogram, reference)}",
            color=colour,
            flow=None,
        )
    axes.set_ylim(0, 1.7 * max([1.0, *(histogram.counts.max() for histogram in histograms.values())]))
    axes.legend(loc="upper right", fontsize=9, title=r"$\chi^2$ / ndf", title_fontsize=9)


def _chi2(histogram: Histogram, reference: Histogram) -> str:
    chi2, freedom = histogram.chi2(reference)
    return f"{chi2:.0f} / {freedom}"


def draw_ratios(axes: Axes, histograms: dict[str, Histogram]) -> None:
    """Ratios to the first of the histograms, whose own statistical error is a band around 1."""
    (_, reference), *others = histograms.items()
    relative = np.divide(
        1.0, reference.errors, out=np.full_like(reference.counts, np.nan), where=reference.counts > 0
    )
    axes.stairs(1 + relative, reference.edges, baseline=1 - relative, fill=True, color="0.85")
    axes.axhline(1, color="0.4", linewidth=1)
    for shift, (_, histogram) in enumerate(others):
        colour = _colours(histograms)[1 + shift]
        place = reference.centres + (shift - (len(others) - 1) / 2) * 0.2 * np.diff(reference.edges)
        _draw_points(axes, place, histogram.ratio(reference), colour)
    axes.set_ylim(*_RATIO_RANGE)
    axes.set_xlim(reference.edges[0], reference.edges[-1])


def _draw_points(axes: Axes, place: Floats, points: tuple[Floats, Floats], colour: str) -> None:
    """Ratios with their errors; an arrow at the edge stands for a point beyond it."""
    ratio, error = points
    low, high = _RATIO_RANGE
    inside = (ratio > low) & (ratio < high)
    axes.errorbar(
        place[inside], ratio[inside], yerr=error[inside], fmt="o", markersize=3.5, color=colour, linewidth=1
    )
    for beyond, marker, edge in ((ratio >= high, "^", high), (ratio <= low, "v", low)):
        axes.plot(
            place[beyond],
            np.full(beyond.sum(), edge),
            marker,
            markersize=6,
            color=colour,
            clip_on=False,
            in_layout=False,
        )


def _colours(histograms: dict[str, Any]) -> list[str]:
    return [VIEW_COLOURS[i % len(VIEW_COLOURS)] for i in range(len(histograms))]
