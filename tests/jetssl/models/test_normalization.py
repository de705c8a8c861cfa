import numpy as np
import pytest
import torch

from jetssl.config.card import load_card
from jetssl.data.datamodule import PairDataModule
from jetssl.data.tensors import to_tensors
from jetssl.evaluation import probe as module
from jetssl.evaluation.probe import Subject, probe
from jetssl.evaluation.results import Origin
from jetssl.evaluation.task import make_task
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import load_encoder
from jetssl.models.normalization import Normalized
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from tests.helpers.toys import make_jets

OVERRIDES = ["data.normalize=true", "data.features=rs3l", "training.epochs=1"]


@pytest.fixture
def normalized(card_file):
    return load_card(card_file, OVERRIDES)


@pytest.fixture
def batches(rng):
    return [to_tensors(make_jets(rng, [30, 1, 25, 7]), "rs3l") for _ in range(3)]


def test_mean_and_spread_of_real_constituents(normalized, batches):
    encoder = build_encoder(normalized, 1)
    encoder.fit(batches)
    values = np.concatenate([batch.features[batch.mask].numpy() for batch in batches]).astype(float)
    np.testing.assert_allclose(encoder.mean, values.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(encoder.spread, values.std(0), rtol=1e-5)


def test_constants_are_only_shifted(normalized, batches):
    encoder = build_encoder(normalized, 1)
    for batch in batches:
        batch.features[..., 3] = 1e4
    encoder.fit(batches)
    assert encoder.mean[3] == 1e4
    assert encoder.spread[3] == 1


def test_the_encoder_sees_normalized_features(normalized, batches):
    encoder, (batch, *_) = build_encoder(normalized, 1).eval(), batches
    encoder.fit(batches)
    by_hand = batch._replace(features=(batch.features - encoder.mean) / encoder.spread)
    torch.testing.assert_close(encoder(*batch).jet, encoder.encoder(*by_hand).jet)
    dirty = batch._replace(features=torch.where(batch.mask[..., None], batch.features, 77.0))
    torch.testing.assert_close(encoder(*dirty), encoder(*batch))


def test_fitted_on_the_training_split_and_kept(normalized, table, tmp_path):
    run = RunFolder(tmp_path / "run")
    pretrain(normalized, run, quiet=True)
    kept = load_encoder(run.best).encoder
    assert isinstance(kept, Normalized)
    again = build_encoder(normalized, 1)
    again.fit(batch.jets for batch in PairDataModule(table.rows, normalized).sample())
    assert torch.equal(kept.mean, again.mean)
    assert torch.equal(kept.spread, again.spread)
    assert (kept.spread != 1).sum() > 5


@pytest.mark.slow
def test_the_untrained_encoder_gets_the_same(normalized, table, tmp_path, monkeypatch):
    run = RunFolder(tmp_path / "run")
    pretrain(normalized, run, quiet=True)
    loaded, spreads = load_encoder(run.best), []

    def watched(encoder, *arguments):
        spreads.append(encoder.spread.clone())
        return embed(encoder, *arguments)

    embed = module.embed
    monkeypatch.setattr(module, "embed", watched)
    task = make_task(table.rows, normalized.data.fractions, ("two_prong",), ("one_prong",))
    subject = Subject(run, loaded, table, task)
    probe(subject, [20], Origin(1, "jetssl probe run"), baselines=["random"], quiet=True)
    assert len(spreads) == 10
    assert all(torch.equal(spread, loaded.encoder.spread) for spread in spreads)
