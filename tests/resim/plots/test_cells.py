"""Cells of a row, layer by layer: how large cells are, where the borders of clusters run, and what is drawn."""

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.plots import show_cells
from resim.plots.cells import outline, smallest_step
from tests.helpers.chain import run_cli


def test_the_border_of_cells_leaves_out_sides_between_two():
    """An L of three cells has eight sides, which enclose it: every corner belongs to an even number of them."""
    sides = outline(np.array([0, 1, 0]), np.array([0, 0, 1]))
    assert len(sides) == 8
    corners, counts = np.unique(sides.reshape(-1, 2), axis=0, return_counts=True)
    assert (counts % 2 == 0).all()
    assert [1, 1] in corners.tolist()  # the inner corner
    assert [[1, 0], [1, 1]] not in sides.tolist()


def test_cells_are_as_large_as_the_smallest_distance_of_their_centres():
    centres = ((np.array([3, 7, 8, 8, 20]) + 0.5) * 6 / 256 - 3).astype(np.float32)
    assert smallest_step(centres) == pytest.approx(6 / 256, rel=1e-4)
    assert smallest_step(centres[:1]) == smallest_step(centres[2:4]) == 0.1  # nothing to measure by


@pytest.mark.slow
def test_cells_of_every_view_are_drawn(tmp_path, saved):
    """A toy jet has cells in layers 1 and 3."""
    path = write_mock(tmp_path / "mock.h5", n_rows=6, views=("a", "b"), p_valid=1, cells=True)
    drawn = run_cli("show", path, "--cells", "--row", 2, "-o", tmp_path / "row.png")
    assert drawn.exit_code == 0, drawn.output
    panels = np.array([axes for axes in saved[0].axes if axes.get_aspect() == 1]).reshape(2, 4)
    n_collections = [[len(axes.collections) for axes in line] for line in panels]
    assert all(line[1] > 1 and line[3] > 1 and line[0] == line[2] == 1 for line in n_collections)
    crossings = [len(line.get_xdata()) for line in panels[0, 0].lines]
    assert crossings[0] > 0


def test_what_cannot_be_drawn_is_said(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=2)
    with pytest.raises(InputError, match=r"has no cells; generate it with `jets\.cells`"):
        show_cells(path, 0, tmp_path / "row.png")
    with pytest.raises(InputError, match=r"row 2 does not exist; the file has rows 0 \.\.\. 1"):
        show_cells(path, 2, tmp_path / "row.png")
    assert "give one of the two" in run_cli("show", path, "--cells", "--generated", "-o", tmp_path / "r.png").output
    assert not (tmp_path / "row.png").exists()
