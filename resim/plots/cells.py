"""The jet of a row in all its views as a calorimeter of cells sees it: a line for a view, a panel for a layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from resim.common.angles import wrap
from resim.common.arrays import Floats, Integers
from resim.common.errors import InputError
from resim.pairfile.reader import Array, PairFile
from resim.plots.row import jet_radius, row_title
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save

_COLOURS: Final = "Greys"
"""Of energies: the outlines of clusters have colours."""
_ENERGIES: Final = (0.03, 30.0)
"""Range of the colours of cells, GeV."""
_NEIGHBOURS_AMONG: Final = 200
"""Rows of a view among whose cells some touch, which says how large cells are."""
_LEAST_STEP: Final = 1e-3
"""Centres of cells that lie nearer are the same, which are stored with 24 bits; the smallest cells have 0.003."""
_ALONE: Final = 0.1
"""Size of a cell where none touches another."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """The cells of a jet in one layer, about the hard parton.

    Attributes:
        place: float64 `(n_cells, 2)`, pseudorapidity and azimuth of the centres.
        energy: `(n_cells,)`, GeV.
        cluster: `(n_cells,)`, number in the jet.
        size: float64 `(2,)`, of a cell in pseudorapidity and azimuth.
        crossing: float64 `(2, n_tracks)`, where tracks cross the layer, as far as the file says.
    """

    place: Floats
    energy: Array
    cluster: Array
    size: Floats
    crossing: Floats


@dataclass(frozen=True, slots=True)
class _View:
    """A view to draw: title, place of the jet's axis, layers."""

    title: str
    axis: tuple[float, float]
    panels: Sequence[_Panel]


def show_cells(path: Path, row: int, output: Path) -> Path:
    """Draw cells, clusters and tracks of a row: energies by colour, clusters by outline, tracks where they cross.

    Args:
        path: the pair file.
        row: index of the row.
        output: picture to write.

    Returns:
        The output.

    Raises:
        InputError: there is no such row, or no cells in the file.
    """
    with PairFile(path) as file, hep_style():
        if not 0 <= row < len(file):
            raise InputError(f"{path}: row {row} does not exist; the file has rows 0 ... {len(file) - 1}")
        views = [_read(file, view, row) for view in file.view_names]
        n_layers = max(len(view.panels) for view in views)
        figure = Figure(figsize=(1.6 + 2.2 * n_layers, 1.4 + 2.4 * len(views)), layout="constrained")
        panels = figure.subplots(len(views), n_layers, squeeze=False, sharex=True, sharey=True)
        norm = LogNorm(*_ENERGIES)
        for line, view in zip(panels, views, strict=True):
            _draw_view(line, view, jet_radius(file), norm)
        for layer, axes in enumerate(panels[0]):
            axes.set_title(f"layer {layer}", fontsize=11)
        for axes in panels[-1]:
            axes.set_xlabel(r"$\eta - \eta_\mathrm{parton}$", fontsize=11)
        figure.suptitle(row_title(file, row), fontsize=12)
        energies = PatchCollection([], cmap=_COLOURS, norm=norm)
        bar = figure.colorbar(energies, ax=panels, pad=0.01, aspect=50, extend="both")
        bar.set_label("energy of a cell [GeV]")
        mark = Line2D([], [], linestyle="", marker="x", color="black", label="track in the first and last layer")
        border = Line2D([], [], color=VIEW_COLOURS[0], label="a cluster")
        figure.legend(handles=[border, mark], loc="outside lower center", ncols=2, frameon=False)
        return save(figure, output)


def _read(file: PairFile, view: str, row: int) -> _View:
    """The jet of a view; without one, panels without cells."""

    def of_row(group: str, *names: str) -> list[Array]:
        offsets = file.group_offsets(view, group, slice(row, row + 2))
        return [file.group(view, group, name, slice(int(offsets[0]), int(offsets[1]))) for name in names]

    eta0, phi0 = (float(file.hard_scatter(f"parton_{name}")[row]) for name in ("eta", "phi"))
    pt, jet_eta, jet_phi = (float(file.jets(view, name)[row]) for name in ("pt", "eta", "phi"))
    layer, eta, phi, energy, cluster = of_row("cells", "layer", "eta", "phi", "energy", "cluster")
    sizes = _sizes(file, view, row)
    ends = {0: of_row("tracks", "first_eta", "first_phi"), len(sizes) - 1: of_row("tracks", "last_eta", "last_phi")}
    panels = []
    for number, size in enumerate(sizes):
        mine = layer == number
        track_eta, track_phi = ends.get(number, (np.empty(0), np.empty(0)))
        crossing = np.stack([track_eta - eta0, wrap(track_phi - phi0)])
        place = np.stack([eta[mine] - eta0, wrap(phi[mine] - phi0)], axis=1)
        panels.append(_Panel(place, energy[mine], cluster[mine], np.array(size), crossing))
    title = f"{literal(view)}, {pt:.0f} GeV" if file.valid(view)[row] else f"{literal(view)}, no jet"
    return _View(title, (jet_eta - eta0, float(wrap(np.array(jet_phi - phi0)))), panels)


def _sizes(file: PairFile, view: str, row: int) -> list[tuple[float, float]]:
    """Size of the cells of every layer of a view in pseudorapidity and azimuth."""
    start = row - row % _NEIGHBOURS_AMONG
    offsets = file.group_offsets(view, "cells", slice(start, start + _NEIGHBOURS_AMONG + 1))
    part = slice(int(offsets[0]), int(offsets[-1]))
    layer, eta, phi = (file.group(view, "cells", name, part) for name in ("layer", "eta", "phi"))
    layers = range(int(layer.max(initial=-1)) + 1)
    return [(smallest_step(eta[layer == number]), smallest_step(phi[layer == number])) for number in layers]


def smallest_step(centres: Array) -> float:
    """Distance of neighbouring cells: the smallest one between centres that differ.

    Args:
        centres: `(n,)`, pseudorapidities or azimuths of the cells of a layer.
    """
    steps = np.diff(np.sort(centres.astype(np.float64)))
    return float(steps[steps > _LEAST_STEP].min(initial=np.inf)) if (steps > _LEAST_STEP).any() else _ALONE


def outline(column: Integers, row: Integers) -> Integers:
    """The border of a set of cells: sides that belong to one of them alone.

    Args:
        column: int64 `(n,)`, with `row` the places of the cells in a grid, each once.
        row: int64 `(n,)`.

    Returns:
        Ends of the sides, int64 `(n_sides, 2, 2)`: corner `(i, j)` is the one of cell `(i, j)` nearest to the origin.
    """
    corner = np.stack([column, row], axis=1)
    right, up = np.array([1, 0]), np.array([0, 1])
    low = np.concatenate([corner, corner + up, corner, corner + right])
    high = low + np.repeat([right, right, up, up], len(corner), axis=0)
    sides, counts = np.unique(np.stack([low, high], axis=1), axis=0, return_counts=True)
    return np.asarray(sides[counts == 1], np.int64)


def _draw_view(line: Sequence[Axes], view: _View, radius: float, norm: LogNorm) -> None:
    line[0].set_ylabel(r"$\phi - \phi_\mathrm{parton}$" + f"\n{view.title}", fontsize=11)
    for axes, panel in zip(line, view.panels, strict=False):
        _draw_panel(axes, panel, norm)
        axes.add_patch(Circle(view.axis, radius, fill=False, color="0.5", linestyle="--", linewidth=0.8))
    for axes in line:
        axes.set(xlim=(-1.5 * radius, 1.5 * radius), ylim=(-1.5 * radius, 1.5 * radius), aspect="equal")
        axes.tick_params(labelsize=9)


def _draw_panel(axes: Axes, panel: _Panel, norm: LogNorm) -> None:
    corners = panel.place - panel.size / 2
    boxes = PatchCollection([Rectangle(corner, *panel.size) for corner in corners], cmap=_COLOURS, norm=norm)
    boxes.set_array(panel.energy)
    axes.add_collection(boxes)
    origin = corners.min(axis=0, initial=np.inf)
    for number in np.unique(panel.cluster):
        column, row = np.rint((corners[panel.cluster == number] - origin) / panel.size).astype(np.int64).T
        colour = VIEW_COLOURS[number % len(VIEW_COLOURS)]
        axes.add_collection(LineCollection(list(origin + outline(column, row) * panel.size), colors=colour))
    axes.plot(*panel.crossing, linestyle="", marker="x", color="black", markersize=5, markeredgewidth=1)
