import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.special import logsumexp

from jetssl.cli import jetssl
from jetssl.config.card import card_from
from jetssl.config.evaluation import FineTuneCard
from jetssl.data.table import load_pairs
from jetssl.evaluation.classifier import Classifier, Projected, Rates, train, with_adapters
from jetssl.evaluation.embedding_cache import run_vectors
from jetssl.evaluation.finetune import FineTuning, finetune
from jetssl.evaluation.fits import FRESH_RATE, HEAD_RATE, Bench, Fit, label_draw, read_scores, scores_file
from jetssl.evaluation.results import read_results
from jetssl.evaluation.task import make_task
from jetssl.evaluation.trained import load_trained
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import load_encoder, write_checkpoint
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.toys import CLASSES

MODES = ("frozen", "full", "scratch", "scratch-views", "lora")


@pytest.fixture
def request_of(finished_run, tmp_path):
    return FineTuning(
        finished_run.path,
        tmp_path / "fits",
        FineTuneCard(classes="two_prong,one_prong", mode=MODES, labels=(20,), seeds=2, steps=4),
        jobs=1,
    )


def asked(request, **changes):
    return replace(request, card=request.card.model_copy(update=changes))


@pytest.mark.slow
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
    damaged = scores_file(request_of.output, Fit("frozen", 20, 0))
    sound = damaged.read_bytes()
    damaged.write_bytes(sound[:-40] + bytes([sound[-40] ^ 1]) + sound[-39:])
    assert finetune(request_of, quiet=True) == results
    assert damaged.read_bytes() == sound
    assert lost.read_bytes() == content
    assert all(path.stat().st_mtime_ns == time for path, time in written.items() if path not in (lost, damaged))

    changed = {}
    base = load_encoder(finished_run.best).encoder.state_dict()
    for mode in MODES:
        tuned = load_encoder(request_of.output / f"{mode}_20_0/checkpoints/best.ckpt").encoder.state_dict()
        assert tuned.keys() == base.keys()
        changed[mode] = any(not torch.equal(tuned[name], base[name]) for name in base)
    assert not changed["frozen"]
    assert changed["scratch"]
    for mode in MODES:
        words = ["embed", str(request_of.output / f"{mode}_20_0"), str(mock_file), "-o", str(tmp_path / f"{mode}.h5")]
        embedded = CliRunner().invoke(jetssl, [*words, "--quiet"])
        assert embedded.exit_code == 0, embedded.output
    with pytest.raises(
        InputError, match="holds fits of another checkpoint, file, task, head, seed, rates or weights"
    ):
        finetune(asked(request_of, seed=2), quiet=True)
    with pytest.raises(InputError, match="holds fits of another checkpoint"):
        finetune(asked(request_of, unweighted=True), quiet=True)
    with pytest.raises(InputError, match="holds fits of another checkpoint"):
        finetune(asked(request_of, encoder_rate=1e-3), quiet=True)
    with pytest.raises(InputError, match="holds fits of another checkpoint"):
        finetune(asked(request_of, layer_decay=0.9), quiet=True)


@pytest.mark.parametrize("rate", [{"encoder_rate": 1e-3}, {"layer_decay": 0.8}])
def test_rates_of_a_mode_that_is_not_asked_for_are_refused(rate):
    with pytest.raises(ValueError, match="are those of mode full, which is not asked for"):
        FineTuneCard(mode=("frozen", "scratch"), **rate)


@pytest.mark.slow
def test_side_by_side_gives_the_same(request_of, tmp_path):
    one = asked(request_of, mode=("frozen", "full"))
    two = replace(one, output=tmp_path / "two", jobs=2)
    first, second = finetune(one, quiet=True), finetune(two, quiet=True)
    assert [record.value for record in first] == [record.value for record in second]


@pytest.mark.slow
def test_command_line(finished_run, tmp_path):
    words = ["finetune", str(finished_run.path), *CLASSES, "--mode", "frozen", "--labels", "20", "--seeds", "2"]
    done = CliRunner().invoke(jetssl, [*words, "-o", str(tmp_path / "fits"), "--quiet", "--json"])
    assert done.exit_code == 0, done.output
    assert {record["method"] for record in json.loads(done.stdout)} == {"finetune_frozen"}
    (tmp_path / "other").mkdir()
    (tmp_path / "other/letter.txt").write_text("dear")
    refused = CliRunner().invoke(jetssl, [*words, "-o", str(tmp_path / "other"), "--quiet"])
    assert "exists and holds no fine-tuning" in str(refused.exception)


@pytest.mark.slow
@pytest.mark.parametrize("head", ["rs3l", "rs3l-mlp", "resim"])
def test_published_heads(request_of, head):
    results = finetune(asked(request_of, head=head, mode=("frozen", "full")), quiet=True)
    name = head.replace("-", "_")
    assert {result.method for result in results} == {f"finetune_frozen_{name}", f"finetune_full_{name}"}
    trained = load_trained(request_of.output / "frozen_20_1")
    scores = trained.score(run_vectors(*_bench_parts(request_of)), ["two_prong"], ["one_prong"])
    kept = read_scores(request_of.output, Fit("frozen", 20, 1))
    assert set(np.round(kept, 4)) <= set(np.round(scores, 4))


def test_a_run_without_a_projector(request_of, finished_run, tmp_path):
    run = RunFolder(tmp_path / "run")
    shutil.copytree(finished_run.path, run.path)
    checkpoint = torch.load(run.best, weights_only=True)
    state = {name: value for name, value in checkpoint["state_dict"].items() if not name.startswith("projector.")}
    write_checkpoint(run.best, checkpoint | {"state_dict": state})
    with pytest.raises(InputError, match=r"best\.ckpt: holds no projector"):
        finetune(replace(asked(request_of, head="resim"), run=run.path), quiet=True)
    assert not request_of.output.exists()


def _bench_parts(request):
    run = RunFolder(request.run)
    loaded = load_encoder(run.best)
    return run, loaded, load_pairs(loaded.card.data.files), 0


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
    head = torch.nn.Linear(encoder.width, 1)
    adapted = with_adapters(encoder, 1)
    model = Classifier(Projected(adapted, torch.nn.Identity()), head)
    torch.testing.assert_close(adapted(*batch).jet, expected)
    asking = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert asking
    assert all("lora_" in name or name.startswith("head.") for name in asking)
    losses = iter(range(100, 0, -1))
    labels = torch.tensor([0, 1, 0, 1])
    train(model, iter([(batch, labels)] * 20), 20, Rates(FRESH_RATE, HEAD_RATE), lambda: next(losses))
    model.eval()
    tuned = adapted(*batch).jet.detach()
    assert not torch.allclose(tuned, expected)
    merged = adapted.merge_and_unload()
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


@pytest.mark.parametrize("mode", ["frozen", "full"])
def test_three_classes(request_of, table, mode):
    """One prong at random under two names: a fit has an output for each class, and says which."""
    run, loaded, _, view = _bench_parts(request_of)
    names = ("one_prong", "other", "two_prong")
    other = np.where(table.rows.class_index == 0, table.rows.event // 2 % 2, 2).astype(np.int16)
    rows = replace(table.rows, classes=names, class_index=other)
    three = make_task(rows, loaded.card.data.fractions, classes=("two_prong", "one_prong+other"))
    assert three.name == "two_prong_vs_one_prong+other"
    three = make_task(rows, loaded.card.data.fractions, classes=("two_prong", "other", "one_prong"))
    vectors = run_vectors(run, loaded, table, view)
    fit = Fit(mode, 30, 0)
    Bench(run, loaded, table, three, vectors, request_of.output, 1, 4).fit(fit)
    scores = read_scores(request_of.output, fit)
    assert scores.shape == (len(three.test), 3)
    trained = load_trained(request_of.output / fit.name)
    assert trained.record.classes == ("two_prong", "other", "one_prong")
    if mode == "frozen":
        found = trained.score(vectors[three.test], ["two_prong"], ["one_prong", "other"])
        np.testing.assert_allclose(found, scores[:, 0] - logsumexp(scores[:, 1:], axis=1), rtol=1e-4, atol=1e-5)
