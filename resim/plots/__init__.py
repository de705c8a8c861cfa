"""Pictures of pair files and detectors: distributions per class and view, single rows, response to particles."""

from resim.plots.calorimeter import plot_calorimeter
from resim.plots.cells import show_cells
from resim.plots.detector import plot_detector
from resim.plots.observables import plot_pairs
from resim.plots.row import show_row

__all__ = ["plot_calorimeter", "plot_detector", "plot_pairs", "show_cells", "show_row"]
