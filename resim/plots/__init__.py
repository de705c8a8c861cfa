"""Pictures of pair files: distributions per class and view, and single rows."""

from resim.plots.observables import plot_pairs
from resim.plots.row import show_row

__all__ = ["plot_pairs", "show_row"]
