"""The section of the page about geometry: what `jetssl geometry` wrote into a folder."""

from collections.abc import Sequence
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
    figures = [
        similarity_figure([shape for shape in shapes if shape.view == first.view], scratch / "similarity.png"),
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


def similarity_figure(shapes: Sequence[Distribution], output: Path) -> FigureFile:
    """Densities of the three kinds of similarity, a panel for each other view.

    Args:
        shapes: those with one first view.
        output: a PNG.
    """
    others = list(dict.fromkeys(shape.other_view for shape in shapes))
    with hep_style():
        figure = Figure(figsize=(1.2 + 4 * len(others), 4.4), layout="constrained")
        panels = figure.subplots(1, len(others), squeeze=False, sharey=True)[0]
        for axes, other in zip(panels, others, strict=True):
            _draw_similarity(axes, [shape for shape in shapes if shape.other_view == other])
            axes.set_title(literal(f"{shapes[0].view}, {other}"), loc="left")
            axes.set_xlabel("cosine similarity")
        panels[0].set_ylabel("share / bin")
        panels[0].set_ylim(0, 1.35 * panels[0].get_ylim()[1])
        panels[0].legend(loc="upper left", fontsize=9)
        path = save(figure, output)
    caption = (
        f"Cosine similarity of the jet of a row in view {shapes[0].view} with the same row in the other view, with"
        " other rows, and with other rows in the same bin of class, pT and |η|. An encoder that reads only"
        " kinematics does not tell the first from the last."
    )
    return FigureFile(path, caption)


def _draw_similarity(axes: Axes, shapes: Sequence[Distribution]) -> None:
    for shape, colour in zip(shapes, VIEW_COLOURS, strict=False):
        counts = np.array(shape.counts)
        axes.stairs(counts / max(counts.sum(), 1), shape.edges, color=colour, label=KINDS[shape.quantity], lw=1.8)
    axes.set_xlim(-1, 1)


def rotation_figure(results: Sequence[Result], output: Path) -> FigureFile:
    """Similarity of a jet with itself against the angle by which it is turned, with the levels of pairs of jets."""
    turned = [result for result in results if result.metric.startswith(METRIC)]
    by_metric = {result.metric: result for result in reversed(results) if result.view == results[0].view}
    angles = [0, *(int(result.metric.removeprefix(METRIC)) for result in turned), 360]
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        values, errors = (np.array([getattr(r, key) for r in turned], float) for key in ("value", "error"))
        values, errors = np.pad(values, 1, constant_values=1), np.pad(errors, 1)
        axes.errorbar(angles, values, yerr=errors, fmt="o-", ms=4, color="#c1272d")
        for (metric, name), style in zip(KINDS.items(), ("--", ":", "-."), strict=True):
            if (level := by_metric[metric].value) is not None:
                axes.axhline(level, color="0.4", ls=style, label=name)
        axes.set(xlabel="angle [degrees]", ylabel="mean cosine similarity", xlim=(0, 360), xticks=range(0, 361, 60))
        axes.legend(loc="best", fontsize=10)
        path = save(figure, output)
    other = by_metric["cosine_positive"].other_view
    caption = (
        f"Cosine similarity of a jet with itself after it was turned about its axis, mean over rows of view"
        f" {results[0].view}. An encoder trained with rotations is flat. Horizontal lines: mean similarity of views"
        f" {results[0].view} and {other}, as in the figure above."
    )
    return FigureFile(path, caption)
