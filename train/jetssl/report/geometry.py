"""The section of the page about geometry: what `jetssl geometry` wrote into a folder."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jetssl.evaluation.geometry import FILES
from jetssl.evaluation.latent_map import read_map
from jetssl.evaluation.results import Distribution, Result, read_distributions, read_results
from jetssl.evaluation.rotation import METRIC
from jetssl.evaluation.similarity_tables import similarity_tables
from jetssl.report.figures import FigureFile
from jetssl.report.latent import corner_figure, tsne_figure
from jetssl.report.section import PageSection, embedded
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save

KINDS = {
    "cosine_positive": "other view of the row",
    "cosine_negative": "other rows",
    "cosine_negative_in_bin": "same class, pT, |η|",
}
"""Legend of each kind of similarity."""
LEAST_SHARE = 1e-5
"""Where the axis of a similarity begins."""
MOST_COLUMNS = 3
"""Of a figure with a panel for each view: more would be too small to read on the page."""


def is_geometry(folder: Path) -> bool:
    """Whether `jetssl geometry` wrote the folder."""
    return all((folder / name).is_file() for name in FILES)


def geometry_section(folder: Path, scratch: Path) -> PageSection:
    """Tables and figures of a folder of `jetssl geometry`.

    Raises:
        InputError: its files are unreadable or of another schema.
    """
    scratch.mkdir(parents=True)
    results, shapes = read_results(folder / FILES[0]), read_distributions(folder / FILES[2])
    found, first = read_map(folder / FILES[3]), results[0]
    others = dict.fromkeys(shape.other_view for shape in shapes if shape.view == first.view)  # their pairs come first
    figures = [
        similarity_figure(
            [shape for shape in shapes if shape.view == first.view],
            dict(zip(others, found.shares.tolist(), strict=False)),
            scratch / "similarity.png",
        ),
        rotation_figure(results, scratch / "rotation.png"),
        tsne_figure(found, scratch / "tsne.png"),
        corner_figure(found, found.jet_class, "class", scratch / "corner_class.png"),
        corner_figure(found, found.view, "view", scratch / "corner_view.png"),
    ]
    return PageSection(
        title=folder.resolve().name,
        kind="geometry",
        facts=[("command", first.command), ("seed", str(first.seed)), ("test rows", f"{first.n_test:,}")],
        tables=similarity_tables(results, found.shares.tolist()),
        pictures=[embedded(figure) for figure in figures],
        card="",
    )


def similarity_figure(shapes: Sequence[Distribution], shares: Mapping[str | None, str], output: Path) -> FigureFile:
    """Densities of the three kinds of similarity, a panel for each other view.

    Args:
        shapes: those with one first view.
        shares: up to which stage each other view is the same simulation as the first one.
        output: a PNG.
    """
    others = list(dict.fromkeys(shape.other_view for shape in shapes))
    columns = min(len(others), MOST_COLUMNS)
    rows = -(-len(others) // columns)
    with hep_style():
        figure = Figure(figsize=(1.2 + 4 * columns, 4.4 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, other in zip(panels, others, strict=False):
            _draw_similarity(axes, [shape for shape in shapes if shape.other_view == other])
            axes.set_title(literal(f"{shapes[0].view}, {other}: same {shares[other].replace('_', ' ')}"), loc="left")
        for axes in panels[len(others) :]:
            axes.set_visible(False)
        for axes in panels[: len(others)][-columns:]:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("cosine similarity")
        panels[0].set(ylabel="share / bin", yscale="log", xlim=(_first_filled(shapes), 1))
        panels[0].set_ylim(LEAST_SHARE, 30)
        panels[0].legend(loc="upper left", fontsize=9, borderaxespad=1)
        path = save(figure, output)
    caption = (
        f"Cosine similarity of the jet of a row in view {shapes[0].view} with the same row in the other view, with"
        " other rows, and with other rows in the same bin of class, pT and |η|. An encoder that reads only"
        " kinematics does not tell the first from the last. Above each panel: up to which stage the two views are one"
        " simulation."
    )
    return FigureFile(path, caption)


def _draw_similarity(axes: Axes, shapes: Sequence[Distribution]) -> None:
    for shape, colour in zip(shapes, VIEW_COLOURS, strict=False):
        counts = np.array(shape.counts)
        axes.stairs(counts / max(counts.sum(), 1), shape.edges, color=colour, label=KINDS[shape.quantity], lw=1.8)


def _first_filled(shapes: Sequence[Distribution]) -> float:
    """Lower edge of the first bin that holds anything."""
    edges, counts = np.array(shapes[0].edges), np.sum([shape.counts for shape in shapes], axis=0)
    return float(edges[np.flatnonzero(counts)[0]]) if counts.any() else -1.0


def rotation_figure(results: Sequence[Result], output: Path) -> FigureFile:
    """Similarity of a jet with itself against the angle by which it is turned, with the levels of pairs of jets."""
    by_metric = {result.metric: result for result in reversed(results) if result.view == results[0].view}
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        draw_rotation(axes, results, "the jet itself, turned", "#c1272d", "-")
        for (metric, name), style in zip(KINDS.items(), ("--", ":", "-."), strict=True):
            if (level := by_metric[metric].value) is not None:
                axes.axhline(level, color="0.4", ls=style, label=name)
        axes.legend(loc="best", fontsize=10)
        path = save(figure, output)
    other = by_metric["cosine_positive"].other_view
    caption = (
        f"Cosine similarity of a jet with itself after it was turned about its axis, mean over rows of view"
        f" {results[0].view}. An encoder trained with rotations is flat. Horizontal lines: mean similarity of views"
        f" {results[0].view} and {other}, as in the figure above."
    )
    return FigureFile(path, caption)


def draw_rotation(axes: Axes, results: Iterable[Result], name: str, colour: str, style: str) -> None:
    """Draw the mean similarity of jets with themselves against the angle; 1 where they were not turned."""
    turned = [result for result in results if result.metric.startswith(METRIC)]
    angles = [0, *(int(result.metric.removeprefix(METRIC)) for result in turned), 360]
    values, errors = (np.array([getattr(r, key) for r in turned], float) for key in ("value", "error"))
    values, errors = np.pad(values, 1, constant_values=1), np.pad(errors, 1)
    axes.errorbar(angles, values, yerr=errors, fmt=f"o{style}", ms=4, color=colour, label=name)
    axes.set(xlabel="angle [degrees]", ylabel="mean cosine similarity", xlim=(0, 360), xticks=range(0, 361, 60))
