import math
import os
import shutil
import signal

import h5py
import numpy as np
import pytest
import torch

from jetssl.common.seeds import Stream
from jetssl.config.card import load_card
from jetssl.config.evaluation import FineTuneCard, ProbeCard
from jetssl.data.batches import PairBatches
from jetssl.evaluation.embed import embed_file
from jetssl.evaluation.finetune import FineTuning, finetune
from jetssl.evaluation.program import ProbeRequest, probe_run
from jetssl.models import checkpoints
from jetssl.training import pretrain as program
from jetssl.training.epoch_log import EpochLog
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder, State
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from tests.helpers.chain import REPOSITORY
from tests.helpers.toys import ENCODER_OVERRIDES, JEPA, MPM, PART


def weights(run):
    return torch.load(run.last, weights_only=True)["state_dict"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("after", "overrides"),
    [
        (1, []),
        (2, []),
        (2, [PART, "projector.batch_norm=true", "training.ema=0.9"]),
        (1, [PART, "objective.name=supervised"]),
        (1, [JEPA]),
        (2, ["data.buffer=64", "data.batch_size=8"]),
    ],
)
def test_resumed_equals_uninterrupted(card_file, tmp_path, monkeypatch, after, overrides):
    """Ctrl-C in the middle of an epoch, then the same call: bit-identical weights, also of what dropout left."""
    card = load_card(card_file, ["training.epochs=4", *overrides])
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
    assert torch.load(broken.last, weights_only=True)["global_step"] % 5 == 3
    outcome = pretrain(card, broken, quiet=True)
    assert outcome.state is State.FINISHED
    assert outcome.provenance.resumed == 1
    assert all(torch.equal(value, weights(broken)[name]) for name, value in weights(whole).items())
    first, second = read_metrics(whole.metrics), read_metrics(broken.metrics)
    assert [row["epoch"] for row in second] == [1, 2, 3, 4]
    assert [row["validation_loss"] for row in first] == [row["validation_loss"] for row in second]
    best = [torch.load(run.best, weights_only=True)["state_dict"] for run in (whole, broken)]
    assert all(torch.equal(value, best[1][name]) for name, value in best[0].items())


@pytest.mark.slow
def test_learns_something(card_file, tmp_path):
    card = load_card(card_file, ["training.epochs=6", "training.learning_rate=0.01"])
    run = RunFolder(tmp_path / "run")
    pretrain(card, run, quiet=True)
    losses = [row["loss"] for row in read_metrics(run.metrics)]
    assert losses[-1] < losses[0] - 0.1


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ENCODER_OVERRIDES))
def test_every_encoder_trains_and_is_found_again(card_file, tmp_path, name):
    card = load_card(
        card_file,
        [ENCODER_OVERRIDES[name], "data.features=full", "views.source=augment", "views.pairs=[[seed, seed]]"],
    )
    run = RunFolder(tmp_path / "run")
    assert pretrain(card, run, quiet=True).state is State.FINISHED
    loaded = checkpoints.load_encoder(run.best)
    assert loaded.card == card
    assert loaded.card.encoder.name == name
    assert run.state(card, [file.digest for file in run.load_provenance().files]) is State.FINISHED


@pytest.mark.slow
@pytest.mark.parametrize(
    "encoder", [ENCODER_OVERRIDES["transformer"], PART, "encoder={name: interaction_network, vertices: true}"]
)
def test_secondary_vertices_are_trained_on_and_probed(card_file, tmp_path, encoder):
    pairs = write_mock(tmp_path / "pairs.h5", 200, ("nominal", "seed"), vertices=True)
    inputs = ["data.inputs=[constituents, vertices]", "data.features=relative_ip", f"data.files=[{pairs}]"]
    run = RunFolder(tmp_path / "run")
    assert pretrain(load_card(card_file, [encoder, *inputs]), run, quiet=True).state is State.FINISHED
    card = ProbeCard(classes="two_prong,one_prong", labels=(40,))
    assert {result.baseline for result in probe_run(ProbeRequest(run.path, card))} >= {None, "features", "random"}
    with pytest.raises(InputError, match="has no secondary vertices"):
        probe_run(
            ProbeRequest(run.path, card.model_copy(update={"data": (write_mock(tmp_path / "without.h5", 60),)}))
        )


@pytest.mark.slow
def test_cells_and_tracks_are_trained_on_embedded_probed_and_fine_tuned(card_file, tmp_path):
    pairs = write_mock(tmp_path / "pairs.h5", 80, ("nominal", "seed"), cells=True)
    sizes = "encoder={name: resim_transformer, width: 8, heads: 2, layers: 1}"
    card = load_card(card_file, [sizes, "data.inputs=[cells, tracks]", f"data.files=[{pairs}]", "training.epochs=1"])
    run = RunFolder(tmp_path / "run")
    assert pretrain(card, run, quiet=True).state is State.FINISHED
    embed_file(run.path, pairs, tmp_path / "vectors.h5", quiet=True)
    with h5py.File(tmp_path / "vectors.h5") as file:
        assert file["views/seed/embedding"].shape == (80, 8)
    task = {"classes": "two_prong,one_prong", "labels": (20,)}
    found = probe_run(ProbeRequest(run.path, ProbeCard(**task)))
    assert {result.baseline for result in found} == {None, "random", "features"}
    tuning = FineTuneCard(**task, mode=("lora",), seeds=2, steps=2)
    assert {one.method for one in finetune(FineTuning(run.path, tmp_path / "fits", tuning, jobs=1), quiet=True)} == {
        "finetune_lora"
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ntxent", "vicreg", "sigreg", "supcon", "supervised", "jepa", "mpm", "dino", "anomclr"]
)
def test_every_objective_learns(card_file, tmp_path, name):
    small = {"jepa": JEPA, "mpm": MPM}.get(name, f"objective.name={name}")
    overrides = [small, "training.epochs=5", "training.learning_rate=0.01"]
    overrides += ["objective.average=0.9"] if name == "dino" else []  # else the teacher waits for hundreds of steps
    card = load_card(card_file, [*overrides, "views.source=resim"])
    run = RunFolder(tmp_path / "run")
    pretrain(card, run, quiet=True)
    rows = read_metrics(run.metrics)
    if name == "dino":  # its loss is low as long as all jets look alike
        assert rows[-1]["std"] > 1.5 * rows[0]["std"]
    else:
        assert rows[-1]["loss"] < rows[0]["loss"]
    assert math.isfinite(rows[-1]["accuracy"]) == (name == "supervised")
    assert math.isfinite(rows[-1]["alignment"]) == (
        name in {"ntxent", "vicreg", "sigreg", "supcon", "dino", "anomclr"}
    )
    if name == "supervised":
        assert rows[-1]["accuracy"] > 0.9
    beside = {"supervised": {"classifier"}, "jepa": {"student", "predictor", "jet_predictor", "typing"}}
    beside["mpm"] = {"predictor", "regression", "typing"}
    beside["dino"] = {"student", "projector", "student_projector", "prototypes", "student_prototypes"}
    counts = run.load_provenance().parameters
    assert set(counts) == {"encoder"} | beside.get(name, {"projector"})
    assert min(counts.values()) > 0


def test_one_class_cannot_be_told_apart(card_file, tmp_path):
    path = write_mock(tmp_path / "own.h5", 200, seed=1)
    with h5py.File(path, "a") as file:
        file["hard_scatter/label"][:] = 0
    card = load_card(card_file, [f"data.files=[{path}]", "objective.name=supervised"])
    with pytest.raises(InputError, match=r"one class \(one_prong\), a classifier needs two"):
        pretrain(card, RunFolder(tmp_path / "run"), quiet=True)


def test_finished_run_is_left_alone(finished_run, monkeypatch):
    card = finished_run.load_card()
    before = finished_run.last.stat().st_mtime_ns
    outcome = pretrain(card, finished_run, quiet=True)
    assert (outcome.state, outcome.trained) == (State.FINISHED, False)
    assert finished_run.last.stat().st_mtime_ns == before


@pytest.mark.slow
def test_other_card_needs_force(card, card_file, tmp_path):
    run = RunFolder(tmp_path / "run")
    pretrain(card, run, quiet=True)
    other = load_card(card_file, ["training.epochs=1"])
    with pytest.raises(InputError, match=r"different card; use --force to replace it or another -o"):
        pretrain(other, run, quiet=True)
    assert pretrain(other, run, force=True, quiet=True).trained
    assert len(read_metrics(run.metrics)) == 1


@pytest.mark.slow
def test_live_views_resume_to_the_same_bits_and_with_the_same_detector_alone(card_file, tmp_path, monkeypatch):
    detector = tmp_path / "detector.tcl"
    shutil.copy(REPOSITORY / "cards/delphes/ideal.tcl", detector)
    views = f"views={{source: live, pairs: [[nominal, nominal]], live: {{detector: {detector}}}}}"
    card = load_card(card_file, ["training.epochs=1", views])
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    pretrain(card, whole, quiet=True)

    def press(self, trainer, *_):
        if trainer.global_step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(EpochLog, "on_train_batch_end", press)
        assert pretrain(card, broken, quiet=True).state is State.RESUMABLE
    content = detector.read_text()
    detector.write_text(content + "set x 1\n")
    with pytest.raises(InputError, match=r"detector.tcl is another detector than when the run began; restore it"):
        pretrain(card, broken, quiet=True)
    detector.write_text(content)
    assert pretrain(card, broken, quiet=True).state is State.FINISHED
    assert all(torch.equal(value, weights(broken)[name]) for name, value in weights(whole).items())
    detector.write_text(content + "set x 1\n")
    with pytest.raises(InputError, match=r"another detector"):
        pretrain(card, broken, quiet=True)


@pytest.mark.slow
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


def test_monitors_are_in_the_log(finished_run):
    row = read_metrics(finished_run.metrics)[-1]
    for name in ("std_min", "effective_rank", "pair_auc", "pair_auc_in_bin", "probe_auc"):
        assert math.isfinite(row[name]), name
    assert 0 <= row["std_min"] <= row["std"]
    assert 1 <= row["effective_rank"] <= 8
    assert 0.5 < row["pair_auc"] <= 1
    assert row["probe_auc"] > 0.9  # two prongs are not one


def test_monitors_of_an_older_program(tmp_path):
    (tmp_path / "metrics.csv").write_text("epoch,loss\n1,2.5\n")
    (row,) = read_metrics(tmp_path / "metrics.csv")
    assert (row["epoch"], row["loss"]) == (1, 2.5)
    assert math.isnan(row["probe_auc"])


@pytest.mark.slow
def test_average_of_weights(card_file, tmp_path):
    """Against a loop over the weights after every step; the average is what is validated and found again."""
    card = load_card(card_file, ["training.epochs=2", "training.ema=0.7", "training.learning_rate=0.01"])
    seen = []

    class Watch(EpochLog):
        def on_train_batch_end(self, trainer, module, *_):
            seen.append({name: value.detach().clone() for name, value in module.named_parameters()})

    run = RunFolder(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "EpochLog", Watch)
        pretrain(card, run, quiet=True)
    average = seen[0]
    for step in seen[1:]:
        average = {name: 0.7 * value + 0.3 * step[name] for name, value in average.items()}
    for name, value in average.items():
        torch.testing.assert_close(weights(run)[name], value, rtol=0, atol=1e-6)
        assert not torch.equal(value, seen[-1][name])
    loaded = checkpoints.load_encoder(run.last).encoder.state_dict()
    assert all(torch.equal(value, weights(run)[f"encoder.{name}"]) for name, value in loaded.items())


def test_patience_counts_epochs_without_a_lower_loss(card_file, tmp_path):
    """A rate that rises for ever diverges sooner or later; the best epoch is `patience` epochs before the end."""
    overrides = ["training.epochs=30", "training.patience=2", "training.learning_rate=0.5", "training.warmup=0.9"]
    run = RunFolder(tmp_path / "run")
    card = load_card(card_file, overrides)
    assert pretrain(card, run, quiet=True).state is State.FINISHED
    assert not pretrain(card, run, quiet=True).trained
    losses = [row["validation_loss"] for row in read_metrics(run.metrics)]
    assert len(losses) < 30
    assert losses.index(min(losses)) == len(losses) - 3


@pytest.mark.slow
def test_gradients_need_no_limit(card_file, tmp_path):
    runs = [RunFolder(tmp_path / name) for name in ("limited", "free", "wide")]
    for run, limit in zip(runs, ("1e-9", "null", "1e9"), strict=True):
        pretrain(load_card(card_file, ["training.epochs=1", f"training.gradient_clip={limit}"]), run, quiet=True)
    limited, free, wide = (weights(run) for run in runs)
    assert all(torch.equal(value, wide[name]) for name, value in free.items())
    assert not all(torch.equal(value, limited[name]) for name, value in free.items())


@pytest.mark.slow
@pytest.mark.parametrize(("epochs", "quiet"), [(8, False), (8, True), (7, False)])
def test_a_loss_that_still_falls_at_the_end_is_said(card_file, tmp_path, capsys, epochs, quiet):
    """A small rate leaves VICReg's loss on its way down; seven epochs are too few to say so."""
    overrides = ["objective.name=vicreg", "training.learning_rate=0.0003", f"training.epochs={epochs}"]
    pretrain(load_card(card_file, overrides), RunFolder(tmp_path / "run"), quiet=quiet)
    said = "validation loss still falls at the end: -0." in capsys.readouterr().err
    assert said is (epochs == 8 and not quiet)


def with_shuffled_labels(file, output):
    """A copy of a pair file in which other rows are signal."""
    shutil.copy(file, output)
    with h5py.File(output, "a") as pairs:
        labels = pairs["hard_scatter/label"][:]
        pairs["hard_scatter/label"][:] = np.random.default_rng(5).permutation(labels)
    return output


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["vicreg", "ntxent"])
def test_labels_of_data_change_no_bit_of_the_weights(card_file, mock_file, tmp_path, objective):
    overrides = ["data.labelled=false", f"objective.name={objective}", "training.epochs=2"]
    shuffled = with_shuffled_labels(mock_file, tmp_path / "shuffled.h5")
    trained = []
    for number, file in enumerate((mock_file, shuffled)):
        run = RunFolder(tmp_path / str(number))
        pretrain(load_card(card_file, [*overrides, f"data.files=[{file}]"]), run, quiet=True)
        trained.append(weights(run))
        assert run.load_provenance().files[0].labels == {"unlabelled": 300}
    assert all(torch.equal(value, trained[1][name]) for name, value in trained[0].items())


def test_labels_do_change_a_training_that_reads_them(card_file, mock_file, tmp_path):
    shuffled = with_shuffled_labels(mock_file, tmp_path / "shuffled.h5")
    trained = []
    for number, file in enumerate((mock_file, shuffled)):
        run = RunFolder(tmp_path / str(number))
        card = load_card(card_file, ["objective.name=supervised", "training.epochs=1", f"data.files=[{file}]"])
        pretrain(card, run, quiet=True)
        trained.append(weights(run))
    assert any(not torch.equal(value, trained[1][name]) for name, value in trained[0].items())


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides", [[JEPA], [JEPA, PART], ["objective={name: dino}"], ["projector.batch_norm=true"]]
)
def test_a_batch_that_is_not_finite_leaves_nothing_behind(card_file, tmp_path, monkeypatch, overrides):
    """Neither in weights nor in running statistics, centres and averages."""
    real = PairBatches.batch

    def spoiled(self, index):
        batch = real(self, index)
        if self.address[1:] == (Stream.TRAINING_BATCH, 1) and index == 3:
            batch.jets.features[0, 0, 0] = math.nan
        return batch

    monkeypatch.setattr(PairBatches, "batch", spoiled)
    run = RunFolder(tmp_path / "run")
    assert pretrain(load_card(card_file, [*overrides, "training.epochs=3"]), run, quiet=True).state is State.FINISHED
    assert [row["skipped"] for row in read_metrics(run.metrics)] == [0, 1, 0]
    assert all(math.isfinite(row["loss"]) and row["gradient_norm"] > 0 for row in read_metrics(run.metrics))
    assert all(value.isfinite().all() for value in weights(run).values())
