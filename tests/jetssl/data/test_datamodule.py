import numpy as np
import pytest
import torch

from jetssl.config.data import DataCard
from jetssl.data.datamodule import PairDataModule, draw_views
from jetssl.data.features import ANGLE_SCALE
from jetssl.data.jets import gather_jets
from resim.errors import InputError


@pytest.fixture
def module(table):
    return PairDataModule(table, DataCard(files=("none",), batch_size=32), seed=5)


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip((*first.jets, first.rows), (*second.jets, second.rows), strict=True))


def test_views_are_distinct_valid_and_uniform(rng):
    valid = np.array([[True] * 3000, [True] * 3000, [False] * 1000 + [True] * 2000])
    views = draw_views(valid, rng)
    assert (views[0] != views[1]).all()
    assert valid[views, np.arange(3000)].all()
    pairs, counts = np.unique(views[:, 1000:], axis=1, return_counts=True)
    assert pairs.shape[1] == 6
    assert counts.min() > 2000 / 6 * 0.8


def test_epoch_is_a_permutation_of_pair_rows(module):
    rows = [np.concatenate(module.training_batches(epoch).batches) for epoch in range(2)]
    for used in rows:
        assert len(np.unique(used)) == len(used) == 32 * module.batches_per_epoch
        assert np.isin(used, module.pairs.train).all()
    assert rows[0].tolist() != rows[1].tolist()


def test_determined_by_seed_epoch_and_batch(table, module):
    again = PairDataModule(table, module.card, seed=5)
    other = PairDataModule(table, module.card, seed=6)
    assert same(module.training_batches(3).batch(1), again.training_batches(3).batch(1))
    assert not same(module.training_batches(3).batch(1), module.training_batches(4).batch(1))
    assert not same(module.training_batches(3).batch(1), other.training_batches(3).batch(1))


def test_validation_is_fixed_and_disjoint(module):
    first, second = list(module.val_dataloader()), list(module.val_dataloader())
    assert all(same(a, b) for a, b in zip(first, second, strict=True))
    assert not set(np.concatenate([batch.rows for batch in first])) & set(module.pairs.train)


def test_pairs_are_two_views_of_the_same_row(table, module):
    batch = module.training_batches(0).batch(0)
    assert len(batch.jets.mask) == 2 * len(batch.rows)
    lengths = batch.jets.mask.sum(1).reshape(2, -1).numpy()
    for row, first, second in zip(batch.rows.numpy(), *lengths, strict=True):
        counts = table.counts[:, row].tolist()
        assert first in counts
        counts.remove(first)
        assert second in counts


@pytest.mark.parametrize("source", ["resim", "augment", "both"])
def test_source_of_the_two_views(table, source):
    card = DataCard(files=("none",), batch_size=32, source=source)
    module = PairDataModule(table, card, seed=5)
    batch = module.training_batches(0).batch(0)
    lengths = batch.jets.mask.sum(1).reshape(2, -1)
    pt = batch.jets.momenta[..., 1:3].norm(dim=2).sum(1).reshape(2, -1)
    same_jet = (lengths[0] == lengths[1]) & torch.isclose(pt[0], pt[1])
    assert bool(same_jet.all()) == (source == "augment")
    angle = torch.atan2(batch.jets.features[:, 0, 2], batch.jets.features[:, 0, 1]).reshape(2, -1)
    assert not torch.isclose(angle[0], angle[1]).all()
    assert len(module.pairs.train) == len(
        np.intersect1d(module.splits.train, table.rows_with(1 + (source != "augment")))
    )


def test_resim_alone_changes_no_jet(table):
    card = DataCard(files=("none",), batch_size=32, source="resim")
    batch = PairDataModule(table, card, seed=5).training_batches(0).batch(0)
    for jet, row in zip(range(32), batch.rows.numpy(), strict=True):
        views = np.flatnonzero(table.valid[:, row])
        stored_views = gather_jets(table, views, np.full(len(views), row))
        stored = stored_views.d_phi[stored_views.starts]
        assert np.isclose(stored / ANGLE_SCALE, batch.jets.features[jet, 0, 2].item()).any()


def test_one_jet_per_row(table):
    card = DataCard(files=("none",), batch_size=32)
    module = PairDataModule(table, card, seed=5, jets_per_row=1)
    batch = module.training_batches(0).batch(0)
    assert len(batch.jets.mask) == len(batch.rows) == len(batch.labels) == 32
    assert len(module.pairs.train) == len(np.intersect1d(module.splits.train, table.rows_with(1)))


def test_labels_are_indices_of_classes(table, module):
    batch = module.training_batches(0).batch(0)
    names = np.array(table.classes)[batch.labels.numpy()]
    np.testing.assert_array_equal(names, table.label[batch.rows.numpy()])
    assert batch.labels.dtype == torch.int64


def test_too_few_rows(table):
    with pytest.raises(InputError, match=r"data.batch_size is 4096, but the training split has \d+ rows"):
        PairDataModule(table, DataCard(files=("none",), batch_size=4096), seed=1)
