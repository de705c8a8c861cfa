"""What `jetssl cwola` found, as a table."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from jetssl.config.evaluation import CwolaInput
from jetssl.evaluation.table import TableBlock
from jetssl.weak.scan import Scan

NAMES: Final[dict[CwolaInput | None, str]] = {
    None: "pre-trained encoder",
    "random": "random encoder",
    "features": "five jet features",
}
"""Of the inputs."""


def scan_table(scan: Scan) -> TableBlock:
    """A row for each input and number of injected events."""
    rows = [
        (
            NAMES[point.baseline],
            str(point.injected),
            f"{point.in_region:.0f}",
            *(_spread(values) for values in (point.before, point.after, point.sculpting)),
            f"{np.mean(point.quality):.2f}",
            f"{point.uniformity:.2f}" if not point.injected else "",
        )
        for point in scan.points
    ]
    header = ("input", "injected", "in the region", "before", "after", "sculpting", "p fit", "p uniform")
    low, start, stop, high = scan.window
    shrunk = math.sqrt(1 - scan.n_background / scan.n_available)
    caption = (
        f"{scan.n_background} events of {'+'.join(scan.background)}, drawn {scan.repetitions} times from"
        f" {scan.n_available}, and events of {'+'.join(scan.signal)}; signal region {start:g}-{stop:g} GeV,"
        f" sidebands from {low:g} and to {high:g} GeV. Significances in standard deviations; after a cut that"
        f" {100 * scan.efficiency:g} % of the sidebands pass. ± is the spread of the draws, which share"
        f" one sample: before the cut some {shrunk:.2f} of what experiments scatter by, about 1. Sculpting: lower"
        " minus upper sideband, in units of its error. p fit: of the sidebands, if the spectrum is right. p uniform:"
        " of p-values without signal; draws overlap, so it is too small rather than too large."
    )
    title = f"Search for {'+'.join(scan.signal)} in {'+'.join(scan.background)} without labels"
    return TableBlock(title, header, rows, caption)


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"
