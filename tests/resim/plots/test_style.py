"""Figures are written whole, in a format that is known."""

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from resim.common.errors import InputError
from resim.plots.style import hep_style, save


@pytest.mark.parametrize(("name", "head"), [("a.png", b"\x89PNG"), ("a.pdf", b"%PDF"), ("a.SVG", b"<?xml")])
def test_the_suffix_is_the_format(tmp_path, name, head):
    path = save(Figure(), tmp_path / name)
    assert path.read_bytes().startswith(head)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a", "a.doc"])
def test_other_formats_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"use \.png, \.pdf or \.svg"):
        save(Figure(), tmp_path / name)


def test_a_folder_that_is_missing_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"no/a\.png: cannot be written .* or choose another -o"):
        save(Figure(), tmp_path / "no/a.png")


def test_the_style_ends_with_the_block():
    before = mpl.rcParams["font.size"]
    with hep_style():
        assert mpl.rcParams["font.size"] == 13
    assert mpl.rcParams["font.size"] == before
