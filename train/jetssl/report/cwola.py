"""The section of the page about a search without labels: what `jetssl cwola` wrote into a folder."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm

from jetssl.report.figures import COLOURS, FigureFile
from jetssl.report.section import PageSection, embedded
from jetssl.weak.scan import FILE, Scan, read_scan
from jetssl.weak.scan_table import NAMES, scan_table
from resim.plots.style import hep_style, literal, save


def is_scan(folder: Path) -> bool:
    """Whether `jetssl cwola` wrote the folder."""
    return (folder / FILE).is_file()


def scan_section(folder: Path, scratch: Path) -> PageSection:
    """Table and figure of a folder of `jetssl cwola`.

    Raises:
        InputError: its file is unreadable or of another schema.
    """
    scratch.mkdir(parents=True)
    scan = read_scan(folder)
    return PageSection(
        title=folder.resolve().name,
        kind="search without labels",
        facts=[("command", scan.command), ("seed", str(scan.seed)), ("view", scan.view)],
        tables=[scan_table(scan)],
        pictures=[embedded(scan_figure(scan, scratch / "scan.png"))],
        card="",
    )


def scan_figure(scan: Scan, output: Path) -> FigureFile:
    """Significance after the cut against that before, and p-values without signal.

    Args:
        scan: what was found.
        output: a PNG.
    """
    with hep_style():
        figure = Figure(figsize=(12.5, 5.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for name in NAMES:
            points = [point for point in scan.points if point.baseline == name]
            if not points:
                continue
            before, after = (np.array([getattr(point, key) for point in points]) for key in ("before", "after"))
            means, spreads = (
                [values.mean(1) for values in (before, after)],
                [v.std(1, ddof=1) for v in (before, after)],
            )
            look = {"color": COLOURS[name], "label": NAMES[name]}
            left.errorbar(*means, xerr=spreads[0], yerr=spreads[1], fmt="o-", ms=5, lw=1.2, capsize=2, **look)
            for point in points:
                if not point.injected:
                    p_values = np.sort(norm.sf(point.after))
                    right.step(p_values, np.arange(1, len(p_values) + 1) / len(p_values), where="post", **look)
        left.axline((0, 0), slope=1, color="0.5", ls=":", lw=1)
        left.set(xlabel=r"Significance before the cut / $\sigma$", ylabel=r"Significance after the cut / $\sigma$")
        right.plot([0, 1], [0, 1], color="0.5", ls=":", lw=1)
        right.set(xlabel="p-value after the cut, no signal", ylabel="Share of draws below", xlim=(0, 1), ylim=(0, 1))
        left.legend(fontsize=10)
        figure.suptitle(literal(f"{'+'.join(scan.signal)} in {'+'.join(scan.background)}"), x=0.01, ha="left")
        path = save(figure, output)
    sizes = len({point.injected for point in scan.points})
    caption = (
        f"Left: significance of the excess of {'+'.join(scan.signal)} after a cut that was learned without labels,"
        f" against that before it, for {sizes} numbers of injected events; bars are the spread of"
        f" {scan.repetitions} draws of one sample, less than that of experiments; dotted: no gain."
        " Right: p-values without signal; dotted: uniform."
    )
    return FigureFile(path, caption)
