import matplotlib.pyplot as plt
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.plots import plot_pairs, show_row
from resim.plots.histogram import Histogram
from resim.plots.observables import OBSERVABLES, VERTEX_OBSERVABLES
from tests.helpers.chain import run_cli
from tests.helpers.pictures import empty_panels


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    path = tmp_path_factory.mktemp("mock") / "mock.h5"
    return write_mock(path, n_rows=40, views=("a", "b", "c"), vertices=True)


@pytest.mark.slow
def test_one_picture_per_observable(mock, tmp_path, saved):
    pictures = plot_pairs(mock, tmp_path / "plots")
    assert [path.stem for path in pictures] == [*(o.name for o in OBSERVABLES + VERTEX_OBSERVABLES), "sharing"]
    assert len(saved) == len(pictures)
    assert empty_panels(saved) == []


def test_a_panel_without_data_is_seen_as_empty():
    figure, (empty, full) = plt.subplots(2)
    empty.axhline(1.0, label="no data")
    empty.plot([0.0, 1.0], [np.nan, np.nan])
    empty.legend()
    full.plot([0.0, 1.0], [np.nan, 2.0])
    assert empty_panels([figure]) == [empty]


def test_nothing_to_plot_is_said(tmp_path):
    empty = write_mock(tmp_path / "empty.h5", n_rows=6, p_valid=0.0)
    with pytest.raises(InputError, match="no row has a jet in any view"):
        plot_pairs(empty, tmp_path / "plots")
    assert not (tmp_path / "plots").exists()
    assert show_row(empty, 0, tmp_path / "row.png").exists()


@pytest.mark.slow
def test_pictures_are_not_overwritten_unasked(mock, tmp_path):
    assert run_cli("show", mock, "-o", tmp_path / "row.png").exit_code == 0
    assert "exists already" in str(run_cli("show", mock, "-o", tmp_path / "row.png").exception)
    assert run_cli("show", mock, "-o", tmp_path / "row.png", "--force").exit_code == 0
    assert run_cli("plot", mock, "-o", tmp_path).exception is not None


def test_weights_are_summed_with_their_errors():
    edges = np.array([0.0, 1.0, 2.0])
    weighted = Histogram.of(np.array([0.5, 0.5, 1.5]), edges, np.array([2.0, -1.0, 3.0]))
    assert weighted.counts.tolist() == [1.0, 3.0]
    assert weighted.errors == pytest.approx([5**0.5, 3.0])
    unit = Histogram.of(np.array([0.5, 0.5, 1.5]), edges)
    assert unit.errors == pytest.approx([2**0.5, 1.0])
    assert weighted.chi2(weighted) == (0.0, 1)
