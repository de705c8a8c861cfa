import os
import signal

import pytest
import torch

from jetssl.config import load_card
from jetssl.pretrain import pretrain
from jetssl.progress import EpochLog, read_metrics
from jetssl.run_folder import RunFolder, State
from resim.errors import InputError
from resim.mock import write_mock


def weights(run):
    return torch.load(run.last, weights_only=True)["state_dict"]


@pytest.mark.parametrize("after", [1, 2])
def test_resumed_equals_uninterrupted(card_file, tmp_path, monkeypatch, after):
    """Ctrl-C in the middle of an epoch, then the same call: bit-identical weights."""
    card = load_card(card_file, ["training.epochs=4"])
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    pretrain(card, whole, quiet=True)

    def press(self, trainer, *_):
        if trainer.current_epoch == after and trainer.global_step % 5 == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(EpochLog, "on_train_batch_end", press)
        handler = signal.getsignal(signal.SIGINT)
        assert pretrain(card, broken, quiet=True).state is State.RESUMABLE
        assert signal.getsignal(signal.SIGINT) is handler
    assert len(read_metrics(broken.metrics)) == after
    outcome = pretrain(card, broken, quiet=True)
    assert outcome.state is State.FINISHED
    assert outcome.provenance.resumed == 1
    assert all(torch.equal(value, weights(broken)[name]) for name, value in weights(whole).items())
    first, second = read_metrics(whole.metrics), read_metrics(broken.metrics)
    assert [row["epoch"] for row in second] == [1, 2, 3, 4]
    assert [row["validation_loss"] for row in first] == [row["validation_loss"] for row in second]
    assert torch.equal(
        *(torch.load(run.best, weights_only=True)["state_dict"]["encoder.pool.weight"] for run in (whole, broken))
    )


def test_learns_something(card_file, tmp_path):
    card = load_card(card_file, ["training.epochs=6", "training.learning_rate=0.01"])
    run = RunFolder(tmp_path / "run")
    pretrain(card, run, quiet=True)
    losses = [row["loss"] for row in read_metrics(run.metrics)]
    assert losses[-1] < losses[0] - 0.1


def test_finished_run_is_left_alone(finished_run, monkeypatch):
    card = finished_run.load_card()
    before = finished_run.last.stat().st_mtime_ns
    outcome = pretrain(card, finished_run, quiet=True)
    assert (outcome.state, outcome.trained) == (State.FINISHED, False)
    assert finished_run.last.stat().st_mtime_ns == before


def test_other_card_needs_force(card, card_file, tmp_path):
    run = RunFolder(tmp_path / "run")
    pretrain(card, run, quiet=True)
    other = load_card(card_file, ["training.epochs=1"])
    with pytest.raises(InputError, match=r"different card; use --force to replace it or another -o"):
        pretrain(other, run, quiet=True)
    assert pretrain(other, run, force=True, quiet=True).trained
    assert len(read_metrics(run.metrics)) == 1


def test_changed_data_needs_force(card_file, tmp_path):
    path = write_mock(tmp_path / "own.h5", 200, seed=1)
    card = load_card(card_file, [f"data.files=[{path}]", "training.epochs=1"])
    run = RunFolder(tmp_path / "run")
    pretrain(card, run, quiet=True)
    path.unlink()
    write_mock(path, 200, seed=2)
    with pytest.raises(InputError, match="pair files have changed"):
        pretrain(card, run, quiet=True)


def test_force_never_deletes_what_is_no_run(card, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    for force in (False, True):
        with pytest.raises(InputError, match="is not a run"):
            pretrain(card, RunFolder(tmp_path), force=force, quiet=True)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_divergence_is_one_line(card_file, tmp_path):
    card = load_card(card_file, ["training.learning_rate=1e30", "training.warmup=0"])
    with pytest.raises(InputError, match=r"lower training\.learning_rate"):
        pretrain(card, RunFolder(tmp_path / "run"), quiet=True)


def test_provenance(finished_run, mock_file):
    provenance = finished_run.load_provenance()
    assert provenance.files[0].path == str(mock_file)
    assert len(provenance.files[0].digest) == 64
    assert provenance.finished is not None
    assert provenance.rows.train + provenance.rows.validation + provenance.rows.test == 300
    assert provenance.pair_rows.train <= provenance.rows.train
