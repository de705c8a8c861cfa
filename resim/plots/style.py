"""The look of every figure: mplhep's style, a non-interactive backend, and atomic saving."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from resim.common.atomic_write import OTHER_OUTPUT, atomic_write
from resim.common.errors import InputError

VIEW_COLOURS = ("#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#94a4a2", "#a96b59", "#e76300", "#717581")
"""Colour-blind safe cycle of M. Petroff (arXiv:2107.02270), 8 of 10 colours."""


@contextmanager
def hep_style() -> Iterator[None]:
    """Draw with mplhep's style at a size that suits several panels."""
    import mplhep

    mpl.use("Agg")
    sizes: dict[str, Any] = {"font.size": 13, "axes.labelsize": 14, "legend.fontsize": 11, "axes.titlesize": 13}
    ticks: dict[str, Any] = {"xtick.labelsize": 12, "ytick.labelsize": 12, "lines.linewidth": 1.6}
    with mpl.rc_context():
        parameters: Any = mpl.rcParams
        parameters.update(mplhep.style.ROOT)
        parameters.update(sizes | ticks | {"savefig.bbox": None})
        yield


def literal(text: str) -> str:
    """Text out of a file, such as a label or the name of a view, as it is: Matplotlib takes dollars for formulas."""
    return text.replace("$", r"\$")


def save(figure: Figure, path: Path) -> Path:
    """Write a figure; the file appears under its name only when it is complete.

    Raises:
        InputError: the format is unknown, or the file cannot be written.
    """
    known = figure.canvas.get_supported_filetypes()
    suffix = path.suffix.lstrip(".").lower()
    if suffix not in known:
        raise InputError(f"{path}: cannot write the picture format {path.suffix!r}; use .png, .pdf or .svg")
    with atomic_write(path, OTHER_OUTPUT) as partial:
        figure.savefig(partial, format=suffix, dpi=110)
    return path
