"""The state of a run folder."""

import pytest

from jetssl.config.card import load_card
from jetssl.config.training import WITHOUT_EFFECT
from jetssl.training.run_folder import RunFolder, State
from resim.common.errors import InputError


@pytest.fixture
def digests(finished_run):
    return [file.digest for file in finished_run.load_provenance().files]


def test_new_finished_resumable(finished_run, digests, tmp_path):
    card = finished_run.load_card()
    assert RunFolder(tmp_path / "new").state(card, digests) is State.NEW
    assert finished_run.state(card, digests) is State.FINISHED
    copy = RunFolder(tmp_path / "copy")
    copy.path.mkdir()
    copy.card.write_text(finished_run.card.read_text())
    open_ended = finished_run.load_provenance().model_copy(update={"finished": None})
    copy.provenance.write_text(open_ended.model_dump_json())
    assert copy.state(card, digests) is State.RESUMABLE


def test_leftovers_of_an_interrupted_write_are_no_run(finished_run, digests, tmp_path):
    (tmp_path / ".config.yaml.partial").touch()
    assert RunFolder(tmp_path).state(finished_run.load_card(), digests) is State.NEW


def test_other_runs_are_refused(finished_run, card_file, digests, tmp_path):
    with pytest.raises(InputError, match="holds a run of a different card"):
        finished_run.state(load_card(card_file, ["training.epochs=7"]), digests)
    with pytest.raises(InputError, match="its pair files have changed"):
        finished_run.state(finished_run.load_card(), ["other"])
    (tmp_path / "stranger").touch()
    with pytest.raises(InputError, match="is not a run"):
        RunFolder(tmp_path).state(finished_run.load_card(), digests)
    with pytest.raises(InputError, match="--force will not delete it"):
        RunFolder(tmp_path).clear()
    with pytest.raises(InputError, match="is a file"):
        RunFolder(tmp_path / "stranger").state(finished_run.load_card(), digests)


def test_only_what_belongs_to_a_run_is_deleted(finished_run, tmp_path):
    run = RunFolder(tmp_path)
    run.card.write_text(finished_run.card.read_text())
    for file in (run.metrics, run.results, run.roc, tmp_path / "notes.txt"):
        file.write_text("x")
    run.checkpoints.mkdir()
    run.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_is_no_run_is_said(tmp_path):
    with pytest.raises(InputError, match=r"no config\.yaml, so not a run"):
        RunFolder(tmp_path).load_card()
    (tmp_path / "provenance.json").write_text("{")
    with pytest.raises(InputError, match=r"provenance\.json: unreadable"):
        RunFolder(tmp_path).load_provenance()


def test_a_damaged_card_of_a_run_is_said_with_the_way_out(finished_run, tmp_path):
    run = RunFolder(tmp_path)
    run.card.write_text(finished_run.card.read_text()[:300] + "\nsplit_u")  # a rename whose data was lost
    with pytest.raises(InputError, match=r"config\.yaml: .*, or train again with --force"):
        run.load_card()


@pytest.mark.parametrize("key", WITHOUT_EFFECT)
def test_a_run_goes_on_with_keys_that_change_no_weight(finished_run, digests, card_file, key):
    value = {"devices": "2", "checkpoint_steps": "7", "checkpoint_minutes": "1.5", "logger": "wandb"}[key]
    assert finished_run.state(load_card(card_file, [f"training.{key}={value}"]), digests) is State.FINISHED
