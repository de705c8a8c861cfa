"""bfloat16 changes a training step a little, and what must stay in single precision stays there."""

import pytest
import torch
from torch.nn import functional

from jetssl.common.precision import available
from jetssl.config.card import load_card
from jetssl.data.datamodule import PairDataModule
from jetssl.data.ragged import Ragged
from jetssl.methods.builder import METHODS
from jetssl.models.attention import Attention
from jetssl.models.batch_norm import BatchNorm
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from tests.helpers.toys import ENCODER_OVERRIDES as ENCODERS

CASES = [(encoder, "ntxent") for encoder in ENCODERS] + [
    ("transformer", name) for name in METHODS if name != "ntxent"
]


def in_short():
    return torch.autocast("cpu", torch.bfloat16)


@pytest.mark.parametrize(("encoder", "objective"), CASES)
def test_a_step_is_close_to_single_precision(card_file, table, encoder, objective):
    """Gradients of networks that choose neighbours jump where two are equally near; all point the same way."""
    quiet = ["encoder.dropout=0"] if encoder in {"transformer", "part", "lloca_part"} else []
    card = load_card(
        card_file, [ENCODERS[encoder], *quiet, f"objective.name={objective}", "projector.batch_norm=true"]
    )
    kind = METHODS[objective]
    batch = PairDataModule(table.rows, card).training_batches(0).batch(0)
    losses, gradients = [], []
    for enabled in (False, True):
        method = kind(card, 10, table.rows.classes)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss = method.losses(batch)["loss"]
        loss.backward()
        assert loss.dtype == torch.float32
        losses.append(loss.item())
        gradients.append(torch.cat([p.grad.flatten() for p in method.parameters() if p.grad is not None]))
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1] != losses[0]
    assert functional.cosine_similarity(*gradients, dim=0) > 0.95


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 1e-5])
def test_biases_of_attention_are_read_in_the_dtype_of_queries(training, dropout):
    """torch 2.13 reads others wrongly; with a bias this large nothing else matters."""
    attention = Attention(8, 2, dropout).train(training)
    rows = torch.randn(10, 8, generator=torch.Generator().manual_seed(1))
    (bucket,) = Ragged.of(torch.ones(2, 5, dtype=torch.bool)).buckets
    bias = torch.full((2, 1, 5, 5), -50.0).masked_fill(torch.eye(5, dtype=torch.bool), 0.0)
    wanted = attention(rows, bucket, bias)
    with in_short():
        found = attention(rows, bucket, bias)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), wanted, rtol=0.05, atol=0.02)


def test_statistics_of_batch_norms_are_in_single_precision():
    """The mean of 4096 numbers near 300 would be off by units in bfloat16."""
    rows = 300 + torch.randn(4096, 3, generator=torch.Generator().manual_seed(1)).bfloat16()
    norm = BatchNorm(3)
    with in_short():
        assert norm(rows).dtype == torch.float32
    torch.testing.assert_close(norm.running_mean, 0.1 * rows.float().mean(0))


def test_sums_over_constituents_are_in_single_precision():
    """1 + 1 + ... stops at 256 in bfloat16."""
    ragged = Ragged.of(torch.ones(1, 400, dtype=torch.bool))
    with in_short():
        assert ragged.sum(torch.ones(400, 1, dtype=torch.bfloat16)).item() == 400


@pytest.mark.slow
def test_a_training_in_bfloat16(card_file, tmp_path):
    rows = {}
    for precision in ("single", "bf16"):
        run = RunFolder(tmp_path / precision)
        pretrain(load_card(card_file, [f"training.precision={precision}"]), run, quiet=True)
        rows[precision] = read_metrics(run.metrics)
    state = torch.load(run.last, weights_only=True)["state_dict"]
    assert {value.dtype for value in state.values()} == {torch.float32}
    for short, single in zip(rows["bf16"], rows["single"], strict=True):
        assert short["loss"] == pytest.approx(single["loss"], rel=0.02)
        assert short["loss"] != single["loss"]


@pytest.mark.parametrize("has_units", [True, False])
def test_a_gpu_without_bfloat16_goes_on_with_single(monkeypatch, caplog, has_units):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_units or including_emulation)
    assert available("bf16", "cuda") == ("bf16" if has_units else "single")
    said = [record.getMessage() for record in caplog.records]
    assert said == (
        [] if has_units else ["training.precision: bf16, for which this GPU has no units; going on with single"]
    )
    assert available("bf16", "cpu") == "bf16"  # in software
    assert available("double", "cuda") == "double"
