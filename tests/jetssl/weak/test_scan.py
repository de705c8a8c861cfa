"""`jetssl cwola` on a file of pretended di-jets: what it writes, twice the same, and what it refuses."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.data import Fractions
from jetssl.config.objectives import SupervisedCard
from jetssl.data.rows import rows_of
from jetssl.data.splits import split_rows
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder
from jetssl.weak.dijets import DiJets
from jetssl.weak.scan import FILE, WITHOUT_PT, draw_events, read_scan, unseen, warn_of_training
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.mock import write_mock
from resim.pairfile.places import identity_of_place

ROWS = 2400


@pytest.fixture(scope="module")
def dijet_file(tmp_path_factory):
    """Toy jets, two an event, back to back, with a falling pT; every fifth event is a resonance of two prongs."""
    path, rng = (
        write_mock(tmp_path_factory.mktemp("dijets") / "pairs.h5", ROWS, ("nominal",), p_valid=1.0),
        np.random.default_rng(4),
    )
    with h5py.File(path, "a") as file:
        event = np.arange(ROWS) // 2
        resonant = event % 5 == 0
        file["hard_scatter/event"][:] = event
        file["hard_scatter/label"][:] = np.where(resonant, 1, 0)
        sources = [json.loads(file.attrs["provenance"])["sources"][0]["sha256"]]
        file["hard_scatter/identity"][:] = identity_of_place(sources, np.zeros(ROWS, int), event)
        pt = np.where(resonant, 650, 500 * (1 - rng.random(ROWS // 2).repeat(2)) ** -0.2)
        jets = file["views/nominal/jets"]
        jets["pt"][:], jets["eta"][:], jets["phi"][:], jets["mass"][:] = pt, 0, np.arange(ROWS) % 2 * 3.0, 50
        jets["energy"][:] = np.hypot(pt, 50)
    return path


def call(run, output, *words):
    options = ["--window", "1000,1200,1400,1800", "--repetitions", "2", "--injected", "0,40", "--quiet"]
    return CliRunner().invoke(jetssl, ["cwola", str(run), "-o", str(output), *options, *map(str, words)])


@pytest.mark.slow
def test_end_to_end_twice_the_same(finished_run, dijet_file, tmp_path):
    words = ["--data", dijet_file, "--signal", "two_prong", "--background", "one_prong", "--efficiency", "0.2"]
    done = call(finished_run.path, tmp_path / "out", *words, "--json")
    assert done.exit_code == 0, done.exception
    content = (tmp_path / "out" / FILE).read_text()
    assert json.loads(done.stdout) == json.loads(content)
    scan = read_scan(tmp_path / "out")
    assert [(point.baseline, point.injected) for point in scan.points] == [
        (name, number) for name in (None, "random", "features") for number in (0, 40)
    ]
    assert all(len(point.before) == len(point.after) == len(point.sculpting) == 2 for point in scan.points)
    of = {(point.baseline, point.injected): point for point in scan.points}
    assert of[None, 40].before == of["random", 40].before == of["features", 40].before  # the same draws
    assert np.mean(of[None, 40].before) > np.mean(of[None, 0].before)
    assert "--efficiency 0.2" in scan.command
    assert "holds results already" in str(call(finished_run.path, tmp_path / "out", *words).exception)
    again = call(finished_run.path, tmp_path / "out", *words, "--force")
    assert "Search for two_prong in one_prong" in again.output
    assert (tmp_path / "out" / FILE).read_text() == content
    assert len(list((tmp_path / "out").iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--window", "1000,1200"], "want four numbers"),
        (["--window", "1000,1400,1200,1800"], "want the region inside"),
        (["--injected", "some"], "want whole numbers"),
        (["--injected", "5000"], "the window holds 240 signal events"),
        (["--view", "vincia"], "is not among the common views"),
    ],
)
def test_bad_questions_are_one_line(finished_run, dijet_file, tmp_path, words, message):
    classes = ["--data", dijet_file, "--signal", "two_prong", "--background", "one_prong"]
    found = call(finished_run.path, tmp_path / "out", *classes, *words)
    assert isinstance(found.exception, InputError), found.output
    assert message in str(found.exception)
    assert not (tmp_path / "out").exists()


def knowing(run, file, folder):
    """The run as if it had been trained on the file."""
    known = RunFolder(Path(shutil.copytree(run.path, folder)))
    provenance = known.load_provenance()
    files = (provenance.files[0].model_copy(update={"digest": digest(file)}),)
    known.provenance.write_text(provenance.model_copy(update={"files": files}).model_dump_json())
    return known


def test_events_of_the_training_are_not_searched(finished_run, dijet_file, tmp_path, caplog):
    run = knowing(finished_run, dijet_file, tmp_path / "run")
    classes = ["--data", dijet_file, "--signal", "two_prong", "--background", "one_prong"]
    found = call(run.path, tmp_path / "out", *classes, "--injected", "240")
    test = split_rows(rows_of([dijet_file]), Fractions()).test
    left = (test % 10 == 0).sum()
    assert 20 < left < 80
    assert f"holds {left} signal events that the encoder was not trained on" in str(found.exception)
    assert "was trained on jets of two_prong" in caplog.text


def test_unseen_are_events_of_other_files_and_of_the_test_split(dijet_file):
    rows = rows_of([dijet_file])
    events = DiJets(np.arange(ROWS).reshape(-1, 2), np.ones(ROWS // 2), np.arange(ROWS // 2) % 5 == 0)
    assert len(unseen(events, rows, ["another"], Fractions()).mass) == ROWS // 2
    kept = unseen(events, rows, [rows.files[0].digest], Fractions())
    assert kept.rows.ravel().tolist() == split_rows(rows, Fractions()).test.tolist()
    half = replace(rows, files=tuple(replace(rows.files[0], digest=name, rows=ROWS // 2) for name in "ab"))
    kept = unseen(events, half, ["a"], Fractions())
    assert set(kept.rows.ravel()) == {*split_rows(rows, Fractions()).test, *range(ROWS // 2, ROWS)}


def test_labels_of_the_training_are_said(finished_run, caplog):
    loaded = load_encoder(finished_run.best, finished_run.load_card())
    rows = rows_of([file.path for file in finished_run.load_provenance().files])
    warn_of_training(finished_run, loaded, rows, ["dark"])
    assert not caplog.text
    card = loaded.card.model_copy(update={"objective": SupervisedCard()})
    warn_of_training(finished_run, replace(loaded, card=card), rows, ["dark"])
    assert "learned from labels (objective supervised)" in caplog.text


def test_draws_hold_no_event_twice(rng):
    events = DiJets(np.zeros((50, 2), int), np.arange(50.0), np.arange(50) < 20)
    drawn = draw_events(events, (7, 15), rng)
    assert len(np.unique(drawn)) == 22
    assert events.is_signal[drawn].sum() == 7
    assert set(draw_events(events, (20, 30), rng)) == set(range(50))


def test_the_pt_of_a_jet_is_not_among_its_features():
    assert 3 not in WITHOUT_PT  # jetssl.evaluation.baselines.features: soft-drop mass, mass, multiplicity, pT


def test_a_damaged_file_is_one_line(tmp_path):
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(InputError, match="no results of `jetssl cwola`"):
        read_scan(tmp_path)
