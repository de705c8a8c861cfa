"""Figures of a map of the latent space."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jetssl.evaluation.latent_map import LatentMap
from jetssl.report.figures import FigureFile
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save

Names = npt.NDArray[np.str_]


def tsne_figure(found: LatentMap, output: Path) -> FigureFile:
    """t-SNE, once coloured by class and once by view."""
    with hep_style():
        figure = Figure(figsize=(12, 5.6), layout="constrained")
        for axes, (title, names) in zip(
            figure.subplots(1, 2), (("class", found.jet_class), ("view", found.view)), strict=True
        ):
            _scatter(axes, found.tsne, names)
            axes.set_title(f"by {title}", loc="left")
            axes.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
            axes.legend(loc="upper right", fontsize=9, markerscale=3)
        path = save(figure, output)
    caption = (
        f"t-SNE of the jet vectors of {len(found.view)} jets, the same rows in every view. Classes should lie apart,"
        " views on top of each other; distances between islands and their sizes mean nothing."
    )
    return FigureFile(path, caption)


def corner_figure(found: LatentMap, names: Names, title: str, output: Path) -> FigureFile:
    """Each pair of principal components against each other, and their histograms, coloured by class or view."""
    points, size = found.components, found.components.shape[1]
    with hep_style():
        figure = Figure(figsize=(1 + 2.4 * size, 1 + 2.4 * size), layout="constrained")
        panels = figure.subplots(size, size, squeeze=False, sharex="col")
        for row in range(size):
            for column in range(size):
                axes = panels[row, column]
                if column > row:
                    axes.set_visible(False)
                elif column == row:
                    _histograms(axes, points[:, row], names)
                else:
                    _scatter(axes, points[:, [column, row]], names)
                axes.set(yticks=[])
            panels[row, 0].set_ylabel(f"component {row + 1}" if row else "jets")
            panels[-1, row].set_xlabel(f"component {row + 1} ({found.share[row]:.0%})")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right", title=f"by {title}", fontsize=11)
        path = save(figure, output)
    caption = (
        f"Principal components of the directions of the jet vectors by {title}; in brackets: share of the variance."
    )
    return FigureFile(path, caption)


def _scatter(axes: Axes, points: npt.NDArray[Any], names: Names) -> None:
    for name, colour in zip(dict.fromkeys(names.tolist()), VIEW_COLOURS, strict=False):
        chosen = points[names == name]
        axes.scatter(chosen[:, 0], chosen[:, 1], s=6, alpha=0.5, color=colour, label=literal(name), linewidths=0)


def _histograms(axes: Axes, values: npt.NDArray[Any], names: Names) -> None:
    edges = np.linspace(values.min(), values.max(), 31)
    for name, colour in zip(dict.fromkeys(names.tolist()), VIEW_COLOURS, strict=False):
        chosen = values[names == name]
        axes.stairs(np.histogram(chosen, edges)[0] / len(chosen), edges, color=colour, label=literal(name))
