"""How often a jet has a secondary vertex, by flavour, and what these vertices look like.

resim hard-scatter cards/process/heavy_qq.yaml -o heavy_qq.lhe.gz
resim generate benchmarks/vertices.yaml -o vertices.h5 -j 2
python benchmarks/vertices.py vertices.h5 -o vertices.png
"""

from pathlib import Path
from typing import Final

import click
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest

from resim.pairfile.reader import PairFile
from resim.plots.observables import VERTEX_OBSERVABLES
from resim.plots.style import VIEW_COLOURS, hep_style, save

EDGES: Final = {
    "vertex_mass": np.linspace(0, 6.5, 14),
    "vertex_n_tracks": np.arange(1.5, 10.5),
    "vertex_significance": np.geomspace(3, 300, 11),
}


@click.command()
@click.argument("pairs", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("vertices.png"), show_default=True)
def main(pairs: Path, output: Path) -> None:
    """Print the shares of jets with a vertex in the first view of PAIRS and draw the leading vertices."""
    with PairFile(pairs) as file, hep_style():
        view, labels = file.view_names[0], file.label_names()
        valid, has_vertex = file.valid(view), np.diff(file.vertex_offsets(view)) > 0
        figure = Figure(figsize=(15, 4.6), layout="constrained")
        panels = figure.subplots(1, len(VERTEX_OBSERVABLES))
        for label, colour in zip(sorted(file.labels), VIEW_COLOURS, strict=False):
            jets = valid & (labels == label)
            n, k = int(jets.sum()), int((jets & has_vertex).sum())
            interval = binomtest(k, n).proportion_ci(0.68, method="wilson")
            print(f"{label:8s} {n:6d} jets, with a vertex {k / n:.4f} [{interval.low:.4f}, {interval.high:.4f}]")
            for axes, observable in zip(panels, VERTEX_OBSERVABLES, strict=True):
                values = observable.values(file, view)[jets & has_vertex]
                counts, edges = np.histogram(values, EDGES[observable.name])
                total = max(counts.sum(), 1)
                share, errors = counts / total, np.sqrt(counts) / total
                axes.stairs(share, edges, color=colour, label=f"{label}: {k} of {n} jets")
                axes.errorbar((edges[1:] + edges[:-1]) / 2, share, errors, fmt="none", color=colour, linewidth=1)
        for axes, observable in zip(panels, VERTEX_OBSERVABLES, strict=True):
            axes.set_xlabel(observable.label)
            axes.set_ylabel("share of the jets with a vertex / bin")
        panels[2].set_xscale("log")
        panels[0].legend(fontsize=10)
        save(figure, output)


if __name__ == "__main__":
    main()
