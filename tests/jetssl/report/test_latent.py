import numpy as np

from jetssl.evaluation.latent_map import LatentMap
from jetssl.report.latent import corner_figure, tsne_figure


def test_figures(tmp_path, rng, monkeypatch):
    points = rng.normal(size=(12, 2)).astype(np.float32)
    names, views = np.tile(["b", "q"], 6), np.repeat(["nominal", "seed"], 6)
    found = LatentMap(points, points, np.array([0.7, 0.3], np.float32), views, names, np.array(["hard_scatter"]))
    figure = tsne_figure(found, tmp_path / "tsne.png")
    assert figure.path.stat().st_size > 1000
    assert "12 jets" in figure.caption
    figure = corner_figure(found, names, "class", tmp_path / "corner.png")
    assert figure.path.stat().st_size > 1000
    assert "by class" in figure.caption
