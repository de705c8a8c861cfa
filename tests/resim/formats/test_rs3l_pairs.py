"""Pairs as RS3L's training takes them: a jet of the nominal view, and one of another view after it."""

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.formats.export_jets import export_jets
from resim.formats.flat_jets import jets_of_view
from resim.formats.import_jets import import_jets
from resim.formats.layouts import ExportOptions
from resim.formats.mapping_card import mapping_card
from resim.formats.rs3l_pairs import interleaved
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile

LABELS = {"one_prong": "qcd", "two_prong": "hbb"}


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    return write_mock(tmp_path_factory.mktemp("toys") / "toys.h5", 40, ("nominal", "seed", "herwig"), p_valid=0.7)


def test_every_row_pairs_with_one_of_its_views_in_turn(toys):
    with PairFile(toys) as file:
        valid = {view: file.valid(view) for view in file.view_names}
        jets, view = interleaved([jets_of_view(file, name, 10, 40) for name in file.view_names], 10, 40)
    paired = valid["nominal"] & (valid["seed"] | valid["herwig"])
    rows = 10 + np.flatnonzero(paired[10:])
    assert jets.entry.tolist() == np.repeat(rows, 2).tolist()
    assert not view[::2].any()
    for row, other in zip(rows, view[1::2], strict=True):
        choices = [i for i, name in ((1, "seed"), (2, "herwig")) if valid[name][row]]
        assert other == choices[row % len(choices)]


def test_what_is_exported_comes_back(toys, tmp_path, caplog):
    """All that the layout holds: no azimuth of the jet, no error of an impact parameter, 100 constituents."""
    n_jets = export_jets(toys, tmp_path / "r.h5", "rs3l-hdf5", ExportOptions(labels=LABELS, quiet=True))
    with h5py.File(tmp_path / "r.h5") as file:
        assert file["features"].shape == (n_jets, 100, 15)
        assert sorted(set(file["vartype"][:].tolist())) == [-1, 0, 3]
        assert set(file["vartype"][::2].tolist()) == {-1}
        assert file["truth_label"][::2].tolist() == file["truth_label"][1::2].tolist()
    import_jets([tmp_path / "r.h5"], tmp_path / "p.h5", mapping_card("rs3l", None), quiet=True)
    with PairFile(toys) as before, PairFile(tmp_path / "p.h5") as after:
        rows = np.flatnonzero(before.valid("nominal") & (before.valid("seed") | before.valid("herwig")))
        assert 2 * len(after) == n_jets == 2 * len(rows)
        assert after.label_names().tolist() == [LABELS[name] for name in before.label_names()[rows]]
        for view in ("nominal", "seed", "herwig"):
            same = after.valid(view)
            for name, tolerance in (("pt", 1e-3), ("eta", 1e-3), ("energy", 2e-2), ("n_constituents", 0)):
                wanted = before.jets(view, name)[rows[same]]
                assert after.jets(view, name)[same] == pytest.approx(wanted, abs=tolerance), name
    assert "says nothing of errors of impact parameters" in caplog.text


def test_one_view_alone_is_no_pair(toys, tmp_path):
    options = ExportOptions(("seed",), LABELS, quiet=True)
    n_jets = export_jets(toys, tmp_path / "r.h5", "rs3l-hdf5", options)
    with PairFile(toys) as file, h5py.File(tmp_path / "r.h5") as found:
        assert n_jets == file.valid("seed").sum()
        assert set(found["vartype"][:].tolist()) == {-1}


def test_a_view_that_rs3l_has_not_is_refused(tmp_path):
    write_mock(tmp_path / "t.h5", 10, ("nominal", "vincia"))
    with pytest.raises(
        InputError, match="view 'vincia' has no number in RS3L, which knows seed, fsr_hi, fsr_lo, herwig"
    ):
        export_jets(tmp_path / "t.h5", tmp_path / "r.h5", "rs3l-hdf5", ExportOptions(labels=LABELS, quiet=True))
    assert not (tmp_path / "r.h5").exists()
