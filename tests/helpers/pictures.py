"""What a figure shows."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def empty_panels(figures: list[Figure]) -> list[Axes]:
    """Panels without a finite point of data; a legend, a title or a horizontal line is none."""
    panels = [axes for figure in figures for axes in figure.axes if axes.axison]
    assert panels
    return [axes for axes in panels if not np.isfinite(axes.dataLim.get_points()).all()]
