import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.common.roc import auc
from jetssl.config.card import card_from
from jetssl.evaluation.classifier import Classifier, linear_probe, logits_of, train, with_adapters
from jetssl.evaluation.finetune import FineTuning, finetune
from jetssl.evaluation.fits import RATES, Fit, label_draw, scores_file
from jetssl.evaluation.results import read_results
from jetssl.evaluation.task import make_task
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import load_encoder
from resim.common.errors import InputError
from tests.helpers.toys import CLASSES

MODES = ("frozen", "full", "scratch", "scratch-views", "lora")


@pytest.fixture
def request_of(finished_run, tmp_path):
    return FineTuning(
        finished_run.path, tmp_path / "fits", (), ("two_prong",), ("one_prong",), "", MODES, (20,), 2, 4, 1, 1
    )


def test_all_modes_then_nothing_left_to_do(request_of, mock_file, finished_run, tmp_path):
    results = finetune(request_of, quiet=True)
    assert read_results(request_of.output / "results.json") == results
    by_key = {(r.method, r.metric): r for r in results}
    full, scratch = (by_key[f"finetune_{mode}", "auc"].value for mode in ("full", "scratch"))
    assert by_key["finetune_full", "auc_minus_scratch"].value == pytest.approx(full - scratch)
    written = {path: path.stat().st_mtime_ns for path in request_of.output.rglob("scores.npy")}
    assert len(written) == 10
    lost = scores_file(request_of.output, Fit("full", 20, 1))
    content = lost.read_bytes()
    lost.unlink()
    assert finetune(request_of, quiet=True) == results
    assert lost.read_bytes() == content
    assert all(path.stat().st_mtime_ns == time for path, time in written.items() if path != lost)

    changed = {}
    base = load_encoder(finished_run.best).encoder.state_dict()
    for mode in MODES:
        tuned = load_encoder(request_of.output / f"{mode}_20_0/checkpoints/best.ckpt").encoder.state_dict()
        assert tuned.keys() == base.keys()
        changed[mode] = any(not torch.equal(tuned[name], base[name]) for name in base)
    assert not changed["frozen"]
    assert changed["scratch"]
    fit = request_of.output / "full_20_0"
    embedded = CliRunner().invoke(
        jetssl, ["embed", str(fit), str(mock_file), "-o", str(tmp_path / "e.h5"), "--quiet"]
    )
    assert embedded.exit_code == 0, embedded.output
    with pytest.raises(InputError, match="holds fits of another checkpoint, file, task or seed"):
        finetune(replace(request_of, seed=2), quiet=True)


def test_side_by_side_gives_the_same(request_of, tmp_path):
    one = replace(request_of, modes=("frozen", "full"))
    two = replace(one, output=tmp_path / "two", jobs=2)
    first, second = finetune(one, quiet=True), finetune(two, quiet=True)
    assert [record.value for record in first] == [record.value for record in second]


def test_command_line(finished_run, tmp_path):
    words = ["finetune", str(finished_run.path), *CLASSES, "--mode", "frozen", "--labels", "20", "--seeds", "2"]
    done = CliRunner().invoke(jetssl, [*words, "-o", str(tmp_path / "fits"), "--quiet", "--json"])
    assert done.exit_code == 0, done.output
    assert {record["method"] for record in json.loads(done.stdout)} == {"finetune_frozen"}
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("dear")
    refused = CliRunner().invoke(jetssl, [*words, "-o", str(tmp_path / "other"), "--quiet"])
    assert "exists and holds no fine-tuning" in str(refused.exception)


def test_perfect_feature_and_shuffled_labels(rng):
    labels = rng.random(1200) < 0.5
    vectors = rng.normal(size=(1200, 4)).astype(np.float32)
    vectors[:, 0] += 20 * labels
    sides = np.split(np.arange(1200), [400, 600])

    def measure(labels):
        a, b, test = sides
        logits = logits_of(linear_probe(vectors[a], labels[a], vectors[b], labels[b]), vectors[test])
        return auc(logits[labels[test]], logits[~labels[test]])

    assert measure(labels) > 0.999
    # 600 jets: one standard deviation of the AUC of noise is 0.024.
    assert measure(rng.permutation(labels)) == pytest.approx(0.5, abs=0.08)


def test_labelled_rows_are_never_tested(table, finished_run):
    task = make_task(table.rows, load_encoder(finished_run.best).card.data.fractions, ["two_prong"], ["one_prong"])
    events = table.rows.event
    for count in (20, None):
        rows = label_draw(task, Fit("full", count, 0), 1)
        assert not set(events[rows]) & set(events[task.test])
        assert not set(events[rows]) & set(events[task.validation])


def test_adapters(finished_run, batch):
    encoder = load_encoder(finished_run.best).encoder
    expected = encoder(*batch).jet.detach()
    base = {name: value.clone() for name, value in encoder.state_dict().items()}
    model = Classifier(with_adapters(encoder, 1), torch.nn.Linear(encoder.width, 1))
    torch.testing.assert_close(model.encoder(*batch).jet, expected)
    asking = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert asking
    assert all("lora_" in name or name.startswith("head.") for name in asking)
    losses = iter(range(100, 0, -1))
    labels = torch.tensor([0.0, 1, 0, 1])
    train(model, iter([(batch, labels)] * 20), 20, RATES["lora"], lambda: next(losses))
    model.eval()
    tuned = model.encoder(*batch).jet.detach()
    assert not torch.allclose(tuned, expected)
    merged = model.encoder.merge_and_unload()
    torch.testing.assert_close(merged(*batch).jet.detach(), tuned, rtol=1e-4, atol=1e-5)
    assert merged.state_dict().keys() == base.keys()
    frozen = [name for name in base if "attention" not in name and "feed_forward" not in name]
    assert all(torch.equal(merged.state_dict()[name], base[name]) for name in frozen)


def test_nothing_to_adapt():
    with pytest.raises(InputError, match="no linear maps of attention and feed-forward"):
        with_adapters(torch.nn.Sequential(torch.nn.Linear(2, 2)), 1)


def test_particle_transformer_is_refused(card):
    part = card_from(card.model_dump() | {"encoder": {"name": "part", "width": 16, "layers": 1, "heads": 2}}, Path())
    with pytest.raises(InputError, match="computes past adapters"):
        with_adapters(build_encoder(part, 1), 1)
