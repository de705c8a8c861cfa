import numpy as np
import pytest

from jetssl.evaluation.latent_map import LatentMap, write_map
from jetssl.evaluation.results import Distribution, write_records, write_results
from jetssl.report import geometry
from jetssl.report.geometry import geometry_section, is_geometry, similarity_figure
from tests.helpers.pictures import empty_panels
from tests.helpers.records import geometry_records

NAMES = ("cosine_positive", "cosine_negative", "cosine_negative_in_bin")


def similarities(other):
    """Histograms of one pair of views: all between 0 and 1."""
    shared = {"run": None, "view": "nominal", "other_view": other, "jet_class": None}
    return [Distribution(quantity=name, edges=[-1, 0, 1], counts=[0, 3], **shared) for name in NAMES]


@pytest.fixture
def folder(tmp_path, rng):
    """What `jetssl geometry` writes for two views."""
    path = tmp_path / "out"
    names = np.tile(["b", "q"], 20)
    views = np.repeat(["nominal", "seed"], 20)
    points = rng.normal(size=(40, 3)).astype(np.float32)
    shares = np.array(["hard_scatter"])
    write_map(path / "map.npz", LatentMap(points[:, :2], points, np.full(3, 0.2, np.float32), views, names, shares))
    write_records(path / "distributions.json", similarities("seed"))
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


def test_a_panel_for_each_other_view_says_what_it_shares(tmp_path, monkeypatch):
    drawn = []

    def kept(figure, path):
        drawn.append(figure)
        return path

    monkeypatch.setattr(geometry, "save", kept)
    others = ("seed", "rehadron", "herwig", "redetect")
    shapes = [shape for other in others for shape in similarities(other)]
    shares = dict(zip(others, ("hard_scatter", "parton_shower", "hard_scatter", "hadronization"), strict=True))
    similarity_figure(shapes, shares, tmp_path / "similarity.png")
    panels = [axes for axes in drawn[0].axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == [
        "nominal, seed: same hard scatter",
        "nominal, rehadron: same parton shower",
        "nominal, herwig: same hard scatter",
        "nominal, redetect: same hadronization",
    ]
    assert panels[0].get_xlim() == (0, 1)
    assert not [axes for axes in empty_panels(drawn) if axes.get_visible()]
