"""The page about a comparison of runs: one table; ROC, label-efficiency and rotation curves overlaid."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from matplotlib.figure import Figure

from jetssl.evaluation.compare import Column, RunTable
from jetssl.evaluation.compare_table import comparison_block
from jetssl.evaluation.results import Result, RocCurve
from jetssl.evaluation.rotation import METRIC
from jetssl.report.figures import FigureFile, calibration_figure, draw_roc, legend_of
from jetssl.report.geometry import draw_rotation
from jetssl.report.section import Facts, PageSection, embedded, write_page
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save

STYLES = ("-", "--", "-.")
"""With the colours in turn, so that curves on top of each other are seen."""
MOST_CURVES = 8
"""In one figure against the number of labels."""
_SHARED = "Errors of one figure share the test jets, so look at the paired differences in the table."
APART = 1.03
"""Factor between the numbers of labels at which two rows are drawn, so that their errors are seen."""


def write_comparison(table: RunTable, output: Path) -> None:
    """Write one self-contained page.

    Raises:
        InputError: it cannot be written.
    """
    with TemporaryDirectory() as scratch:
        write_page([comparison_section(table, "comparison", Path(scratch) / "figures")], output)


def comparison_section(table: RunTable, title: str, scratch: Path) -> PageSection:
    """Table and figures as a section."""
    scratch.mkdir(parents=True)
    figures = [*roc_overlays(table, scratch), *label_curves(table, scratch), *rotation_overlays(table, scratch)]
    pictures = [embedded(figure) for figure in figures]
    commands = dict.fromkeys(result.command for row in table.cells.values() for result in row.values())
    facts: Facts = [("reference", table.reference), *(("made by", command) for command in commands)]
    return PageSection(title, f"{len(table.cells)} rows", facts, [comparison_block(table)], pictures, "")


def roc_overlays(table: RunTable, folder: Path) -> list[FigureFile]:
    """Rejection against signal efficiency, and calibration: a figure for each task and number of labels."""
    groups: dict[tuple[str, int | None], list[tuple[str, RocCurve]]] = {}
    for name, curves in table.curves.items():
        for curve in curves:
            key = curve.task, None if curve.all_labels else curve.n_labels
            groups.setdefault(key, []).append((name, curve))
    figures = []
    for number, found in enumerate(groups.values()):
        labels = "all labels" if found[0][1].all_labels else f"{found[0][1].n_labels} labels"
        figures.append(_roc_overlay(table, found, labels, folder / f"roc_{number}.png"))
        looks = [(curve, (literal(name), *_look(table, name))) for name, curve in found]
        figures += calibration_figure(looks, labels, folder / f"calibration_{number}.png")
    return figures


def _roc_overlay(table: RunTable, curves: Sequence[tuple[str, RocCurve]], labels: str, output: Path) -> FigureFile:
    first = curves[0][1]
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        for name, curve in curves:
            draw_roc(axes, curve, literal(name), *_look(table, name))
        axes.set(xlabel=r"Signal efficiency $\epsilon_s$", ylabel=r"Background rejection $1/\epsilon_b$")
        axes.set(yscale="log", xlim=(0, 1), ylim=(1, None))
        legend_of(axes, labels)
        path = save(figure, output)
    caption = (
        f"{first.task.replace('_vs_', ' vs ')}, {labels}: background rejection against signal efficiency, mean"
        " background efficiency of all draws. Bands: 68 % binomial interval of the background; rows share the test"
        " jets. Rows of several training seeds have no curve."
    )
    return FigureFile(path, caption)


def label_curves(table: RunTable, folder: Path) -> list[FigureFile]:
    """A figure against the number of labels, for each task and metric that was measured at two numbers at least."""
    groups: dict[tuple[str, str, str, str | None, str | None], list[Column]] = {}
    for column in table.columns:
        key = column.task, column.view, column.metric, column.other_view, column.jet_class
        groups.setdefault(key, []).append(column)
    shown = [columns for columns in groups.values() if len(columns) > 1]
    draw = _label_curve if len(table.cells) <= MOST_CURVES else _ranking
    return [draw(table, columns, folder / f"labels_{number}.png") for number, columns in enumerate(shown)]


def _ranking(table: RunTable, columns: Sequence[Column], output: Path) -> FigureFile:
    """A line for each row, the best on top: curves of so many could not be told apart."""
    columns = sorted(columns, key=lambda column: (column.n_labels is None, column.n_labels))
    known = {name: [_known(row, column) for column in columns] for name, row in table.cells.items()}
    names = sorted((name for name in known if any(known[name])), key=lambda name: _place(known[name]))
    with hep_style():
        figure = Figure(figsize=(7, 1.4 + 0.3 * len(names)), layout="constrained")
        axes = figure.subplots()
        for number, column in enumerate(columns):
            found = [(place, result) for place, name in enumerate(names) if (result := known[name][number])]
            places = [place + 0.2 * ((len(columns) - 1) / 2 - number) for place, _ in found]
            keys = ("value", "error")
            values, errors = (np.array([getattr(result, key) for _, result in found], float) for key in keys)
            colour = VIEW_COLOURS[number % len(VIEW_COLOURS)]
            many = "all" if column.n_labels is None else str(column.n_labels)
            axes.errorbar(values, places, xerr=errors, fmt="o", ms=4, capsize=2, color=colour, label=many)
        axes.set_yticks(range(len(names)), [literal(name) for name in names])
        axes.tick_params(axis="y", which="minor", left=False, right=False)
        axes.set(xlabel=_axis_of(columns[0]), ylim=(-0.7, len(names) - 0.3))
        axes.grid(axis="y", color="0.9")
        axes.legend(title="labels")
        path = save(figure, output)
    caption = f"{_caption_of(columns)}, the best at the fewest labels on top. {_SHARED}"
    return FigureFile(path, caption)


def _known(row: Mapping[Column, Result], column: Column) -> Result | None:
    """The figure of a row, if it has one: no rejection is known where no background passes."""
    result = row.get(column)
    return None if result is None or result.value is None else result


def _place(results: Sequence[Result | None]) -> tuple[int, float]:
    """By the first figure that there is; a row without those before it stands below."""
    return max((-number, float(result.value or 0)) for number, result in enumerate(results) if result)


def _axis_of(column: Column) -> str:
    return "AUC" if column.metric == "auc" else literal(column.metric.replace("_", " "))


def _caption_of(columns: Sequence[Column]) -> str:
    first = columns[0]
    title = first.metric.replace("_", " ")
    return f"{first.task.replace('_vs_', ' vs ')}, view {first.view}: {title} against the number of labels"


def _label_curve(table: RunTable, columns: Sequence[Column], output: Path) -> FigureFile:
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        for number, (name, row) in enumerate(table.cells.items()):
            found = [result for column in columns if (result := row.get(column)) and result.value is not None]
            found.sort(key=lambda result: result.n_labels)
            keys = ("n_labels", "value", "error")
            counts, values, errors = (np.array([getattr(result, key) for result in found]) for key in keys)
            colour, style = _look(table, name)
            counts = counts * APART ** (number - (len(table.cells) - 1) / 2)
            shown = literal(name)
            axes.errorbar(counts, values, yerr=errors, fmt=f"o{style}", ms=4, capsize=2, color=colour, label=shown)
        axes.set(xscale="log", xlabel="labelled training jets", ylabel=_axis_of(columns[0]))
        legend_of(axes)
        path = save(figure, output)
    last = any(column.n_labels is None for column in columns)
    caption = _caption_of(columns) + ("; the last point of a row is all labels of its training split" if last else "")
    return FigureFile(path, f"{caption}. {_SHARED}")


def rotation_overlays(table: RunTable, folder: Path) -> list[FigureFile]:
    """Similarity of a jet with itself against the angle by which it is turned, a curve for each geometry."""
    found = {
        name: [result for column, result in row.items() if column.metric.startswith(METRIC)]
        for name, row in table.cells.items()
    }
    if not any(found.values()):
        return []
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        for name, results in found.items():
            if results:
                draw_rotation(axes, results, literal(name), *_look(table, name))
        legend_of(axes)
        path = save(figure, folder / "rotation.png")
    caption = (
        "Mean cosine similarity of a jet with itself after it was turned about its axis: flat for an encoder that was"
        " trained with rotations (JetCLR, arXiv:2108.04253, figure 2)."
    )
    return [FigureFile(path, caption)]


def _look(table: RunTable, name: str) -> tuple[str, str]:
    """Colour and line style of a row."""
    number = list(table.cells).index(name)
    return VIEW_COLOURS[number % len(VIEW_COLOURS)], STYLES[number % len(STYLES)]
