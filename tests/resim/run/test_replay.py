import shutil

import h5py
import numpy as np
import pytest
import yaml
from matplotlib.image import imread

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.pairfile.merging import merge
from resim.pairfile.reader import PairFile
from resim.pairfile.writer import Storage
from resim.plots import show_row
from resim.run import replay as module
from resim.run.generate import generate
from resim.run.replay import generated_row, replay
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY, run_cli


@pytest.mark.slow
def test_every_row_comes_out_as_it_is_in_the_file(pairs):
    with PairFile(pairs) as file:
        n_rows = len(file)
    for row in range(0, n_rows, 3):
        assert replay(pairs, row).differing == ()


def test_a_row_that_was_changed_is_found_out(pairs, tmp_path):
    changed = tmp_path / "changed.h5"
    shutil.copy(pairs, changed)
    with h5py.File(changed, "r+") as file:
        row = int(file["views/rehadron/valid"][:].nonzero()[0][0])
        file["views/rehadron/jets/pt"][row] *= 1.0001
    assert replay(changed, row).differing == ("views/rehadron/jets/pt",)


def test_a_row_of_a_rounded_file_is_rounded_when_it_is_made_again(pairs, tmp_path):
    merge([pairs], tmp_path / "r.h5", Storage(rounded=True))
    assert replay(tmp_path / "r.h5", 0).differing == ()


def test_versions_that_changed_are_named(pairs, monkeypatch):
    monkeypatch.setattr(module, "versions", lambda: {"pythia8mc": "9.0"})
    assert replay(pairs, 0).changed_versions == {"pythia8mc": ("8.317.2", "9.0")}


def test_the_lhe_file_may_have_moved(pairs, tmp_path):
    moved = tmp_path / "moved.lhe.gz"
    shutil.copy(HARD_SCATTERS / "hbb_j.lhe.gz", moved)
    found = replay(pairs, 0, moved)
    assert found.lhe == moved
    assert found.differing == ()
    with pytest.raises(InputError, match=r"the row was made from .*give the original file with --lhe"):
        replay(pairs, 0, HARD_SCATTERS / "top.lhe.gz")


@pytest.mark.parametrize("row", [-1, 10**6])
def test_no_such_row(pairs, row):
    with pytest.raises(InputError, match=rf"row {row} does not exist, the file has rows 0 \.\.\."):
        replay(pairs, row)


@pytest.fixture(scope="module")
def detected(tmp_path_factory):
    """A file in which every view has a detector, and two have the same particles."""
    folder = tmp_path_factory.mktemp("detected")
    views = {
        "nominal": {"shower": {"card": str(REPOSITORY / "cards/pythia/monash.cmnd")}},
        "seed": {"from": "nominal", "freeze": "hard_scatter"},
        "redetect": {"from": "nominal", "freeze": "hadronization"},
    }
    source = {"lhe": str(HARD_SCATTERS / "hbb_j.lhe.gz"), "rows": {25: "hbb"}}
    detector = {"card": str(REPOSITORY / "cards/delphes/cms.tcl")}
    content = {"sources": [source], "views": views, "detector": detector, "select": {"parton_pt_min": 300}}
    (folder / "card.yaml").write_text(yaml.safe_dump(content))
    generate(folder / "card.yaml", folder / "pairs.h5", RunOptions(n_events=4, quiet=True))
    return folder / "pairs.h5"


def test_generated_particles_are_those_that_the_detector_saw(detected):
    with PairFile(detected) as file:
        for row in range(len(file)):
            again = generated_row(detected, row).arrays
            for view in file.view_names:
                if file.valid(view)[row]:
                    truth = file.read(f"views/{view}/particle_jets/pt")[row]
                    assert np.array_equal(again[f"views/{view}/jets/pt"][0], truth, equal_nan=True)
            assert np.array_equal(again["views/nominal/constituents/pt"], again["views/redetect/constituents/pt"])
            assert (again["views/nominal/constituents/pdg_id"] != 0).all()


@pytest.mark.slow
def test_generated_particles_are_drawn_once_for_each_set_of_them(detected, tmp_path):
    plain = imread(show_row(detected, 0, tmp_path / "plain.png"))
    assert run_cli("show", detected, "--generated", "-o", tmp_path / "five.png").exit_code == 0
    five = imread(tmp_path / "five.png")
    assert five.shape[0] > plain.shape[0]  # the pair that does not fit into the line is in another one
    with pytest.raises(InputError, match=r"row 99 does not exist"):
        show_row(detected, 99, tmp_path / "row.png", generated=True)


@pytest.mark.slow
def test_without_a_detector_nothing_is_made_again(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "process", lambda *_: pytest.fail("made again"))
    plain = imread(show_row(pairs, 0, tmp_path / "plain.png"))
    assert np.array_equal(imread(show_row(pairs, 0, tmp_path / "generated.png", generated=True)), plain)
