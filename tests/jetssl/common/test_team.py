"""Two gloo processes take the steps of one with the joint batch, and only the first of them writes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from jetssl.common.team import ALONE, Team, _seconds, partners_may_go, present_team
from jetssl.config.card import load_card
from jetssl.data.datamodule import PairDataModule
from jetssl.training import pretrain as program
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder, State
from resim.common.errors import InputError
from tests.helpers.forked import MAIN, run_team, start_program
from tests.helpers.programs import free_port
from tests.helpers.teams import gloo, join
from tests.helpers.toys import JEPA, MPM, PART

CASES = {
    "ntxent": [],
    "part": [PART.replace("heads: 2", "heads: 2, dropout: 0"), "projector.batch_norm=true"],
    "particlenet": ["encoder={name: particlenet, neighbours: 4, channels: [[8, 8], [16]]}", "objective.name=vicreg"],
    "supcon": ["objective.name=supcon"],
    "supervised": ["objective.name=supervised", "views.source=resim"],
    "jepa": [JEPA, PART.replace("heads: 2", "heads: 2, dropout: 0")],
    "jepa_kin": [JEPA, "data.features=kin", "objective.pid=0", "objective.variance=1", "objective.target=other_view"],
    "mpm": [MPM],
    "anomclr": ["objective={name: anomclr}"],
    "sigreg": ["objective={name: sigreg, directions: 32}"],
    "dino": ["objective={name: dino}"],
    "mack": ["views={pairing: emd, pairs: [[nominal, seed]], source: resim, candidates: 1}", "data.batch_size=8"],
    "average": ["training.ema=0.9"],
    "normalized": ["data.normalize=true", "data.features=rs3l"],
    "streamed": ["data.shards=2", "data.buffer=128", "data.batch_size=8"],
}
MONITORS = ("std", "std_min", "effective_rank", "alignment", "uniformity", "pair_auc", "pair_auc_in_bin", "probe_auc")
DIVERGING = ["training.epochs=30", "training.patience=2", "training.learning_rate=0.5", "training.warmup=0.9"]
COMMON = ["training.epochs=1", "training.precision=double"]  # one epoch is ten steps


def work(rank, port, card_file, folder):
    join(rank, port)
    with gloo():  # one group for all trainings
        written = []
        write_text = program.write_text
        program.write_text = lambda path, text: (written.append(path), write_text(path, text))
        for name, overrides in CASES.items():
            pretrain(load_card(card_file, [*COMMON, *overrides]), RunFolder(Path(folder) / name), quiet=True)
        pretrain(load_card(card_file, DIVERGING), RunFolder(Path(folder) / "patience"), quiet=True)
        pretrain(load_card(card_file, ["training.precision=bf16"]), RunFolder(Path(folder) / "bf16"), quiet=True)
        again = pretrain(load_card(card_file, COMMON), RunFolder(Path(folder) / "ntxent"), quiet=True)
        assert (again.state, again.trained) == (State.FINISHED, False)
        with pytest.raises(InputError, match="different card"):  # found by the first, raised by both
            pretrain(load_card(card_file), RunFolder(Path(folder) / "ntxent"), quiet=True)
        assert bool(written) == (rank == 0)


@pytest.fixture(scope="module")
def places(tmp_path_factory, mock_file):
    from tests.helpers.toys import CARD

    folder = tmp_path_factory.mktemp("two")
    (folder / "card.yaml").write_text(CARD.format(file=mock_file))
    run_team(work, free_port(), folder / "card.yaml", str(folder))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CASES))
def test_two_processes_equal_one(places, tmp_path, name):
    together, alone = RunFolder(places / name), RunFolder(tmp_path / "run")
    pretrain(load_card(places / "card.yaml", [*COMMON, *CASES[name]]), alone, quiet=True)
    found, wanted = (torch.load(run.last, weights_only=True) for run in (together, alone))
    assert found["global_step"] == wanted["global_step"] >= 10
    assert found["state_dict"].keys() == wanted["state_dict"].keys()
    for key, value in wanted["state_dict"].items():
        torch.testing.assert_close(found["state_dict"][key], value, rtol=0, atol=1e-6, msg=key)
    (first,), (second,) = read_metrics(together.metrics), read_metrics(alone.metrics)
    for quantity in ("step", "loss", "validation_loss", "learning_rate", *MONITORS):
        assert first[quantity] == pytest.approx(second[quantity], abs=1e-6, nan_ok=True), quantity
    assert (together.load_provenance().processes, alone.load_provenance().processes) == (2, 1)
    assert len(list(together.tensorboard.glob("events*"))) == 1


@pytest.mark.slow
def test_two_processes_lose_patience_together(places):
    """That they return at all says that both stop after the same epoch."""
    losses = [row["validation_loss"] for row in read_metrics(RunFolder(places / "patience").metrics)]
    assert len(losses) < 30
    assert losses.index(min(losses)) == len(losses) - 3
    assert RunFolder(places / "patience").load_provenance().finished is not None


@pytest.mark.slow
def test_two_processes_in_bfloat16(places, tmp_path):
    alone = RunFolder(tmp_path / "run")
    pretrain(load_card(places / "card.yaml", ["training.precision=bf16"]), alone, quiet=True)
    for first, second in zip(
        *(read_metrics(run.metrics) for run in (RunFolder(places / "bf16"), alone)), strict=True
    ):
        assert first["loss"] == pytest.approx(second["loss"], rel=0.01)


@pytest.mark.parametrize("source", ["both", "resim"])
def test_shares_are_the_joint_batch(table, card, source):
    """No row twice, none lost, views and augmentations the same."""
    card = card.model_validate(
        card.model_dump() | {"data": card.data.model_dump() | {"batch_size": 24}, "views": {"source": source}}
    )
    whole = PairDataModule(table.rows, card)
    parts = [PairDataModule(table.rows, card, team=Team(rank, 3)) for rank in range(3)]
    for joint, *shares in zip(*(module.training_batches(2) for module in (whole, *parts)), strict=True):
        assert torch.equal(torch.cat([share.rows for share in shares]), joint.rows)
        assert torch.equal(torch.cat([share.labels for share in shares]), joint.labels)
        for k in range(2):
            views = [share.jets.features[k * 8 : k * 8 + 8].sum(1) for share in shares]
            torch.testing.assert_close(torch.cat(views), joint.jets.features[k * 24 : k * 24 + 24].sum(1))
        assert all(share.jets.mask.any(0).all() for share in shares)
    rows = np.concatenate([batch.rows for module in parts for batch in module.val_dataloader()])
    assert len(set(rows)) == len(rows) == len(whole.usable.validation) // 24 * 24


@pytest.mark.slow
def test_tasks_of_slurm(card_file, tmp_path):
    """The variables that `srun --ntasks=2` sets for both tasks of a step."""
    step = {"JOB_ID": "4711", "JOB_NAME": "pretrain", "NTASKS": "2", "STEP_NUM_TASKS": "2", "STEP_NUM_NODES": "1"}
    step |= {"STEP_NODELIST": "localhost", "NODEID": "0"}
    port = {"MASTER_PORT": str(free_port())}
    command = ["train", card_file, "training.epochs=1", "-o", tmp_path / "run"]
    tasks = []
    for rank in ("0", "1"):
        task = {f"SLURM_{name}": value for name, value in (step | {"PROCID": rank, "LOCALID": rank}).items()}
        tasks.append(start_program(MAIN, *command, environment=port | task))
    ended = [task.wait() for task in tasks]
    assert [task.returncode for task in ended] == [0, 0], ended
    assert [task.stdout.count("trained, 1 epochs") for task in ended] == [1, 0]
    assert RunFolder(tmp_path / "run").load_provenance().processes == 2


def test_unequal_nodes_of_slurm_are_refused(monkeypatch):
    step = {"PROCID": 0, "NTASKS": 3, "STEP_NUM_TASKS": 3, "STEP_NUM_NODES": 2, "STEP_TASKS_PER_NODE": "2,1"}
    for name, value in step.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))
    with pytest.raises(InputError, match="2,1 tasks on 2 nodes"):
        present_team()


def test_a_batch_job_of_slurm_alone_is_no_team(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert present_team() == ALONE


def test_a_process_that_waits_too_long_says_which_it_is(tmp_path, monkeypatch):
    """As gloo reports it; NCCL kills the process instead, which the launcher tells."""
    monkeypatch.setenv("JETSSL_TIMEOUT", "90")
    with (
        pytest.raises(InputError, match=r"process 1 of 4 has waited 90 s for another one; .* JETSSL_TIMEOUT to more"),
        partners_may_go(Team(1, 4), tmp_path),
    ):
        raise RuntimeError("[gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 90000ms for recv operation")


@pytest.mark.parametrize("told", ["soon", "0", "-3", "inf", "nan"])
def test_a_time_out_that_is_none_is_one_line(monkeypatch, told):
    monkeypatch.setenv("JETSSL_TIMEOUT", told)
    with pytest.raises(InputError, match=f"the variable JETSSL_TIMEOUT is '{told}', want seconds, as 1800"):
        _seconds()
