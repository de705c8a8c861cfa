import numpy as np
import pytest

from jetssl.evaluation.latent_map import LatentMap, write_map
from jetssl.evaluation.results import Distribution, write_records, write_results
from jetssl.report.geometry import geometry_section, is_geometry
from tests.helpers.records import geometry_records


@pytest.fixture
def folder(tmp_path, rng):
    """What `jetssl geometry` writes for two views."""
    path = tmp_path / "out"
    names = np.tile(["b", "q"], 20)
    views = np.repeat(["nominal", "seed"], 20)
    points = rng.normal(size=(40, 3)).astype(np.float32)
    shares = np.array(["hard_scatter"])
    write_map(path / "map.npz", LatentMap(points[:, :2], points, np.full(3, 0.2, np.float32), views, names, shares))
    edges, names = [-1, 0, 1], ("cosine_positive", "cosine_negative", "cosine_negative_in_bin")
    shapes = [
        Distribution(
            run=None, quantity=name, view="nominal", other_view="seed", jet_class=None, edges=edges, counts=[1, 3]
        )
        for name in names
    ]
    write_records(path / "distributions.json", shapes)
    write_results(path / "results.json", geometry_records())
    return path


@pytest.mark.slow
def test_section(folder, tmp_path):
    assert is_geometry(folder)
    assert not is_geometry(tmp_path)
    section = geometry_section(folder, tmp_path / "scratch")
    assert (section.title, section.kind, len(section.tables)) == ("out", "geometry", 2)
    starts = [picture.caption.split(" of ")[0] for picture in section.pictures]
    assert starts == [
        "Cosine similarity",
        "Cosine similarity",
        "t-SNE",
        "Principal components",
        "Principal components",
    ]
