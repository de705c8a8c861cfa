"""Jet observables per class and view, with ratios to the root view and statistical errors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resim.errors import InputError
from resim.plots.style import VIEW_COLOURS, hep_style, save
from resim.reader import PairFile

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Observable:
    """A jet column and how to draw it.

    Attributes:
        column: name in the schema, also the name of the picture.
        label: axis label with its unit.
        range: axis range, or None for the central 99 % of the values.
        from_zero: whether an automatic range starts at 0.
    """

    column: str
    label: str
    range: tuple[float, float] | None
    from_zero: bool = False


OBSERVABLES: Final = (
    Observable("pt", r"jet $p_\mathrm{T}$ [GeV]", None),
    Observable("eta", r"jet $\eta$", (-2.5, 2.5)),
    Observable("mass", "jet mass [GeV]", None, from_zero=True),
    Observable("softdrop_mass", "soft-drop mass [GeV]", None, from_zero=True),
    Observable("n_constituents", "number of constituents", None, from_zero=True),
)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of unweighted entries: `counts` and their Poisson errors `(n_bins,)` over `edges` `(n_bins + 1,)`."""

    edges: Floats
    counts: Floats

    @property
    def errors(self) -> Floats:
        """Statistical error of every count."""
        return np.sqrt(self.counts)

    def ratio(self, reference: "Histogram") -> tuple[Floats, Floats]:
        """Ratio to another histogram and its error, both taken as independent; NaN where one is empty."""
        some = (self.counts > 0) & (reference.counts > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(some, self.counts / reference.counts, np.nan)
            return ratio, ratio * np.sqrt(1 / self.counts + 1 / reference.counts)


def plot_pairs(path: Path, output: Path) -> list[Path]:
    """Draw every observable of a pair file: one picture each, one column of panels per class.

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
        return [_plot(file, observable, output / f"{observable.column}.png") for observable in OBSERVABLES]


def _plot(file: PairFile, observable: Observable, output: Path) -> Path:
    labels = file.label_names()
    shown = [label for label in file.labels if (labels == label).any()]
    figure = Figure(figsize=(1.2 + 4.3 * len(shown), 5.6), layout="constrained")
    panels = figure.subplots(2, len(shown), squeeze=False, sharex="col", height_ratios=[3, 1.2])
    values = {view: file.jets(view, observable.column).astype(float) for view in file.view_names}
    for column, label in enumerate(shown):
        rows = {view: values[view][file.valid(view) & (labels == label)] for view in values}
        histograms = _histograms(observable, rows)
        _draw_counts(panels[0, column], histograms)
        _draw_ratios(panels[1, column], histograms)
        panels[0, column].set_title(f"{label}  ({(labels == label).sum()} rows)", loc="left")
        panels[1, column].set_xlabel(observable.label)
    panels[0, 0].set_ylabel("jets / bin")
    panels[1, 0].set_ylabel(f"ratio to\n{file.view_names[0]}")
    panels[0, -1].legend(loc="upper right")
    return save(figure, output)


def _histograms(observable: Observable, rows: dict[str, Floats]) -> dict[str, Histogram]:
    everything = np.concatenate(list(rows.values()))
    low, high = observable.range or _central_range(everything, observable.from_zero)
    n_bins = max(6, round(2 * (len(everything) / len(rows)) ** (1 / 3)))  # Rice's rule
    if observable.column == "n_constituents":  # bins of whole numbers, or a comb appears
        width = max(1, round((high - low) / n_bins))
        low, n_bins = np.floor(low) - 0.5, int(np.ceil((high - low) / width))
        high = low + n_bins * width
    edges = np.linspace(low, high, n_bins + 1)
    return {view: Histogram(edges, np.histogram(sample, edges)[0].astype(float)) for view, sample in rows.items()}


def _central_range(values: Floats, from_zero: bool) -> tuple[float, float]:
    if len(values) == 0:
        return 0.0, 1.0
    low, high = np.quantile(values, [0.005, 0.995])
    low = 0.0 if from_zero else low
    return float(low), float(high if high > low else low + 1.0)


def _draw_counts(axes: Axes, histograms: dict[str, Histogram]) -> None:
    import mplhep

    for colour, (view, histogram) in zip(_colours(histograms), histograms.items(), strict=True):
        mplhep.histplot(
            histogram.counts,
            histogram.edges,
            yerr=histogram.errors,
            ax=axes,
            label=view,
            color=colour,
            flow=None,
        )
    axes.set_ylim(0, 1.5 * max([1.0, *(histogram.counts.max() for histogram in histograms.values())]))


def _draw_ratios(axes: Axes, histograms: dict[str, Histogram]) -> None:
    (_, reference), *others = histograms.items()
    centres = (reference.edges[1:] + reference.edges[:-1]) / 2
    relative = np.divide(1.0, reference.errors, out=np.full_like(centres, np.nan), where=reference.counts > 0)
    axes.stairs(1 + relative, reference.edges, baseline=1 - relative, fill=True, color="0.85")
    axes.axhline(1, color="0.4", linewidth=1)
    for shift, (_, histogram) in enumerate(others):
        ratio, error = histogram.ratio(reference)
        place = centres + (shift - (len(others) - 1) / 2) * 0.2 * np.diff(reference.edges)
        colour = _colours(histograms)[1 + shift]
        axes.errorbar(place, ratio, yerr=error, fmt="o", markersize=3.5, color=colour, linewidth=1)
    axes.set_ylim(0.45, 1.55)
    axes.set_xlim(reference.edges[0], reference.edges[-1])


def _colours(histograms: dict[str, Any]) -> list[str]:
    return [VIEW_COLOURS[i % len(VIEW_COLOURS)] for i in range(len(histograms))]
