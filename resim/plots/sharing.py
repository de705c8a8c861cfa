"""What each freeze level leaves unchanged: angle and pT ratio of the jets of a row in a view and in its parent."""

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resim.card.view_plan import ViewRecord
from resim.card.view_tree import one_of_each_family
from resim.common.angles import wrap
from resim.common.arrays import Floats
from resim.pairfile.reader import PairFile
from resim.plots.style import VIEW_COLOURS, literal, save

_ANGLES: Final = np.geomspace(1e-4, 3.0, 46)
"""Bins of the angle, from below any detector's resolution to unrelated jets."""
_RATIOS: Final = np.linspace(0.4, 1.6, 49)


def plot_sharing(file: PairFile, output: Path) -> Path:
    """Draw, for every view with a parent, the angle and the pT ratio between the two jets of a row.

    Of a family of views the first one is drawn.

    Args:
        file: a pair file with at least two views.
        output: the picture.
    """
    labels = file.label_names()
    shown = [label for label in file.labels if (labels == label).any()]
    figure = Figure(figsize=(1.2 + 4.3 * len(shown), 7.2), layout="constrained")
    panels = figure.subplots(2, len(shown), squeeze=False, sharex="row", sharey="row")
    drawn = one_of_each_family(file.view_names)
    for number, view in enumerate((view for view in file.views[1:] if view.name in drawn), 1):
        both = file.valid(view.name) & file.valid(str(view.parent))
        angle, ratio = _angle(file, view), _pt_ratio(file, view)
        for column, label in enumerate(shown):
            rows = both & (labels == label)
            _draw(panels[0, column], angle[rows], _ANGLES, number, literal(f"{view.name} ({view.freeze})"))
            _draw(panels[1, column], ratio[rows], _RATIOS, number, literal(f"{view.name} / {view.parent}"))
    for column, label in enumerate(shown):
        panels[0, column].set(xscale="log", xlabel=r"$\Delta R$ of the two jets", title=literal(label))
        panels[1, column].set_xlabel(r"ratio of their $p_\mathrm{T}$")
        panels[0, column].set_ylim(top=1.6 * panels[0, column].get_ylim()[1] if column == 0 else None)
        panels[0, column].legend(loc="upper left", fontsize=9, title="frozen, median", title_fontsize=9)
        panels[1, column].legend(loc="upper left", fontsize=9, title="median", title_fontsize=9)
    for row in range(2):
        panels[row, 0].set_ylabel("fraction of rows / bin")
    return save(figure, output)


def _angle(file: PairFile, view: ViewRecord) -> Floats:
    eta, phi = ([file.jets(v, name).astype(float) for v in (view.name, str(view.parent))] for name in ("eta", "phi"))
    angle: Floats = np.hypot(eta[0] - eta[1], wrap(phi[0] - phi[1]))
    return angle


def _pt_ratio(file: PairFile, view: ViewRecord) -> Floats:
    ours, parents = (file.jets(v, "pt").astype(float) for v in (view.name, str(view.parent)))
    ratio: Floats = ours / parents
    return ratio


def _draw(axes: Axes, values: Floats, edges: Floats, number: int, name: str) -> None:
    """A histogram in which entries beyond the edges count in the outermost bins."""
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    median = f"  {np.median(values):.3g}" if len(values) else ""
    colour = VIEW_COLOURS[number % len(VIEW_COLOURS)]
    axes.stairs(counts / max(len(values), 1), edges, label=name + median, color=colour, linewidth=1.8)
