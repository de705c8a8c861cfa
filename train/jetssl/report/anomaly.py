"""The section of the page about anomalies: what `jetssl anomaly` wrote into a folder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from jetssl.evaluation.anomaly import FILES
from jetssl.evaluation.anomaly_table import SCORES, anomaly_tables
from jetssl.evaluation.results import RocCurve, read_curves, read_results
from jetssl.evaluation.scoring import FEWEST_PASSING
from jetssl.evaluation.table import NAMES
from jetssl.report.figures import COLOURS, FigureFile, draw_roc
from jetssl.report.section import PageSection, embedded
from resim.plots.style import hep_style, literal, save

LINES: tuple[str | tuple[float, Sequence[float]], ...] = (":", "-.", "--", "-", (0, (3, 1)), (0, (6, 1, 1, 1, 1, 1)))
STYLES = dict(zip(SCORES, 2 * LINES, strict=True))
"""Of lines, by score."""


def is_anomaly(folder: Path) -> bool:
    """Whether `jetssl anomaly` wrote the folder."""
    file = folder / FILES[0]
    return (folder / FILES[2]).is_file() and file.is_file() and read_results(file)[0].method in SCORES


def anomaly_section(folder: Path, scratch: Path) -> PageSection:
    """Tables and figures of a folder of `jetssl anomaly`.

    Raises:
        InputError: its files are unreadable or of another schema.
    """
    scratch.mkdir(parents=True)
    results, curves = read_results(folder / FILES[0]), read_curves(folder / FILES[2])
    first, tasks = results[0], dict.fromkeys(curve.task for curve in curves)
    figures = [
        anomaly_figure([curve for curve in curves if curve.task == task], scratch / f"anomaly_{number}.png")
        for number, task in enumerate(tasks)
    ]
    return PageSection(
        title=folder.resolve().name,
        kind="anomalies",
        facts=[("command", first.command), ("seed", str(first.seed)), ("view", first.view)],
        tables=anomaly_tables(results),
        pictures=[embedded(figure) for figure in figures],
        card="",
    )


def anomaly_figure(curves: Sequence[RocCurve], output: Path) -> FigureFile:
    """Background rejection, and significance improvement, against signal efficiency: a colour for each input.

    Args:
        curves: of one task.
        output: a PNG.
    """
    first = curves[0]
    with hep_style():
        figure = Figure(figsize=(12.5, 5.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for curve in curves:
            colour, style = COLOURS[curve.baseline], STYLES[curve.method]
            draw_roc(left, curve, f"{NAMES[curve.baseline]}, {SCORES[curve.method]}", colour, style)
            signal, background = np.array(curve.signal_efficiency), np.array(curve.background_efficiency)
            shown = background * curve.n_background >= FEWEST_PASSING
            right.plot(signal[shown], signal[shown] / np.sqrt(background[shown]), color=colour, ls=style)
        left.set(ylabel=r"Background rejection $1/\epsilon_b$", yscale="log", ylim=(1, None))
        right.set(ylabel=r"Significance improvement $\epsilon_s\,/\,\epsilon_b^{1/2}$", ylim=(0, None))
        right.axhline(1, color="0.5", lw=1)
        for axes in (left, right):
            axes.set(xlabel=r"Signal efficiency $\epsilon_s$", xlim=(0, 1))
        figure.legend(*left.get_legend_handles_labels(), loc="outside right upper", fontsize=9)
        figure.suptitle(literal(first.task.replace("_vs_", " among ")), x=0.01, ha="left")
        path = save(figure, output)
    caption = (
        f"{first.task.replace('_vs_', ' among ')}: what a cut on each score keeps of the anomalous test jets, and"
        f" what it refuses of {first.n_background} background jets. Left with 68 % binomial bands, as far as one"
        f" background jet passes; right as far as {FEWEST_PASSING} do. Grey: no cut. Colours: inputs; lines: scores."
    )
    return FigureFile(path, caption)
