"""One row in all its views."""

import pytest
from matplotlib.image import imread

from resim.pairfile.mock import write_mock
from resim.plots import show_row


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    return write_mock(tmp_path_factory.mktemp("mock") / "mock.h5", n_rows=40, views=("a", "b", "c", "d", "e"))


@pytest.mark.slow
def test_every_view_of_a_row_is_drawn(mock, tmp_path):
    five = imread(show_row(mock, 0, tmp_path / "five.png"))
    two = imread(show_row(write_mock(tmp_path / "two.h5", n_rows=4), 0, tmp_path / "two.png"))
    assert five.shape[0] > two.shape[0]  # a second line of panels
    assert five.shape[1] > two.shape[1]
