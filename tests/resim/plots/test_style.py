"""Figures are written whole, in a format that is known."""

import json

import h5py
import matplotlib as mpl
import pytest
from matplotlib.figure import Figure

from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.plots import observables, plot_pairs, show_row
from resim.plots.style import hep_style, literal, save


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


@pytest.mark.slow
@pytest.mark.parametrize("name", [r"$\frac{$", r"\$x"])
def test_names_out_of_files_are_drawn_as_they_are(tmp_path, monkeypatch, name):
    path = write_mock(tmp_path / "mock.h5", n_rows=20, views=("nominal", name))
    with h5py.File(path, "r+") as file:
        file["hard_scatter"].attrs["labels"] = json.dumps([name, "two_prong"])
    monkeypatch.setattr(observables, "OBSERVABLES", observables.OBSERVABLES[:1])
    assert len(plot_pairs(path, tmp_path / "plots")) == 2
    show_row(path, 0, tmp_path / "row.png")
    text = Figure().text(0, 0, literal(name))
    assert text._preprocess_math(text.get_text())[1] is False
