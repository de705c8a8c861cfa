from dataclasses import replace

import numpy as np
import pytest
import torch

from jetssl.common.team import Team
from jetssl.config.card import load_card
from jetssl.data.datamodule import PairDataModule
from jetssl.data.features import ANGLE_SCALE
from jetssl.data.jets import gather_jets
from jetssl.data.rows import rows_of
from jetssl.data.table import load_pairs
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock


@pytest.fixture
def changed(card):
    """The card of the tests with other keys in its sections `data` and `views`."""

    def change(views=None, **data):
        data = {"batch_size": 32} | data
        return card.model_validate(card.model_dump() | {"data": card.data.model_dump() | data, "views": views or {}})

    return change


@pytest.fixture
def module(table, changed):
    return PairDataModule(table.rows, changed())


def rows_in(batches):
    return np.concatenate([batch.rows.numpy() for batch in batches])


def same(first, second):
    return all(
        torch.equal(a, b) for a, b in zip((*first.jets[:3], first.rows), (*second.jets[:3], second.rows), strict=True)
    )


def all_same(first, second):
    return all(same(a, b) for a, b in zip(first, second, strict=True))


def test_epoch_is_a_permutation_of_pair_rows(module):
    rows = [rows_in(module.training_batches(epoch)) for epoch in range(2)]
    for used in rows:
        assert len(np.unique(used)) == len(used) == 32 * (len(module.usable.train) // 32)
        assert np.isin(used, module.usable.train).all()
    assert rows[0].tolist() != rows[1].tolist()


def test_both_jets_are_of_different_members_of_a_family(tmp_path, changed):
    path = write_mock(tmp_path / "a.h5", 200, ("nominal", "redetect/0", "redetect/1", "redetect/2"), p_valid=0.8)
    table = load_pairs([path], ("redetect",))
    module = PairDataModule(table.rows, changed({"source": "resim", "pairs": [("redetect", "redetect")]}))
    pt, used = table.jets.pt, set()
    for batch in module.training_batches(0):
        first, second = batch.kinematics[:, 0].numpy().reshape(2, -1)
        drawn = [(pt[:, batch.rows] == jets).argmax(0) for jets in (first, second)]
        assert (first != second).all()
        used |= set(zip(*map(np.ndarray.tolist, drawn), strict=True))
    assert len(used) == 6


def test_determined_by_seed_epoch_and_batch(table, module, card):
    again = PairDataModule(table.rows, module_card := card.model_copy(update={"data": module.card}))
    training = module_card.training.model_copy(update={"seed": 6})
    other = PairDataModule(table.rows, module_card.model_copy(update={"training": training}))
    assert same(module.training_batches(3).batch(1), again.training_batches(3).batch(1))
    assert not same(module.training_batches(3).batch(1), module.training_batches(4).batch(1))
    assert not same(module.training_batches(3).batch(1), other.training_batches(3).batch(1))


def test_made_ahead_is_made_alone(module):
    batches = module.training_batches(1)
    assert all_same(batches, map(batches.batch, range(len(batches))))


def test_validation_is_fixed_and_disjoint(module):
    first, second = list(module.val_dataloader()), list(module.val_dataloader())
    assert all_same(first, second)
    assert not set(rows_in(first)) & set(module.usable.train)


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
def test_source_of_the_two_views(table, changed, source):
    module = PairDataModule(table.rows, changed({"source": source}))
    batch = module.training_batches(0).batch(0)
    lengths = batch.jets.mask.sum(1).reshape(2, -1)
    pt = batch.jets.momenta[..., 1:3].norm(dim=2).sum(1).reshape(2, -1)
    same_jet = (lengths[0] == lengths[1]) & torch.isclose(pt[0], pt[1])
    assert bool(same_jet.all()) == (source == "augment")
    angle = torch.atan2(batch.jets.features[:, 0, 2], batch.jets.features[:, 0, 1]).reshape(2, -1)
    assert not torch.isclose(angle[0], angle[1]).all()
    enough = table.rows.valid.sum(0) >= 1 + (source != "augment")
    assert len(module.usable.train) == enough[module.splits.train].sum()


def test_resim_alone_changes_no_jet(table, changed):
    batch = PairDataModule(table.rows, changed({"source": "resim"})).training_batches(0).batch(0)
    for jet, row in zip(range(32), batch.rows.numpy(), strict=True):
        views = np.flatnonzero(table.rows.valid[:, row])
        stored = gather_jets(table, views, np.full(len(views), row))
        hardest = stored.d_phi[stored.starts]
        assert np.isclose(hardest / ANGLE_SCALE, batch.jets.features[jet, 0, 2].item()).any()


def test_named_pairs_only(table, changed):
    """The first jets of nominal and herwig are told apart by their numbers of constituents."""
    module = PairDataModule(table.rows, changed({"pairs": [["nominal", "herwig"]], "source": "resim"}))
    batch = module.training_batches(0).batch(0)
    lengths = batch.jets.mask.sum(1).reshape(2, -1).T.tolist()
    swapped = [counts != table.counts[[0, 2], row].tolist() for counts, row in zip(lengths, batch.rows, strict=True)]
    for counts, row, turned in zip(lengths, batch.rows, swapped, strict=True):
        assert (counts[::-1] if turned else counts) == table.counts[[0, 2], row].tolist()
    assert 0 < sum(swapped) < 32


def test_one_jet_per_row(table, card_file):
    module = PairDataModule(table.rows, load_card(card_file, ["objective.name=supervised", "data.batch_size=32"]))
    batch = module.training_batches(0).batch(0)
    assert len(batch.jets.mask) == len(batch.rows) == len(batch.labels) == 32
    assert len(module.usable.train) == table.rows.valid.any(0)[module.splits.train].sum()


def test_labels_are_indices_of_classes(table, module):
    batch = module.training_batches(0).batch(0)
    names = np.array(table.rows.classes)[batch.labels.numpy()]
    np.testing.assert_array_equal(names, table.rows.label[batch.rows.numpy()])
    assert batch.labels.dtype == torch.int64


@pytest.fixture(scope="module")
def several_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    return [write_mock(folder / f"{seed}.h5", 150, ("nominal", "seed"), seed=seed) for seed in (1, 2, 3)]


@pytest.mark.slow
def test_a_stream_shows_the_jets_of_the_table(several_files, changed):
    """Rows of windows, in pieces of three files, are those of the files read whole; also a second time."""
    table = load_pairs(several_files)
    card = changed({"source": "resim"}, buffer=64, batch_size=8)
    module = PairDataModule(rows_of(several_files), card)
    assert len(module.training_batches(0).shards[0].windows) > 4
    for batches in (module.training_batches(0), module.training_batches(1), module.val_dataloader()):
        for batch in batches:
            one, other = batch.jets.momenta[..., 1:3].norm(dim=2).sum(1).reshape(2, -1).numpy()
            for row, *found in zip(batch.rows.numpy(), one, other, strict=True):
                jets = gather_jets(table, np.array([0, 1]), np.array([row, row]))
                assert sorted(found) == pytest.approx(sorted(jets.sums(jets.pt)), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("buffer", "size"), [(64, 2), (10_000, 1), (10_000, 4)])
def test_shards_give_one_batch_whoever_reads_them(several_files, changed, buffer, size):
    rows, card = rows_of(several_files), changed(shards=4, buffer=buffer, batch_size=8)
    whole = PairDataModule(rows, card)
    parts = [PairDataModule(rows, card, team=Team(rank, size)) for rank in range(size)]
    for joint, *shares in zip(*(module.training_batches(2) for module in (whole, *parts)), strict=True):
        assert torch.equal(torch.cat([share.rows for share in shares]), joint.rows)
        for k in range(2):
            views = [share.jets.features.sum(1).chunk(2)[k] for share in shares]
            torch.testing.assert_close(torch.cat(views), joint.jets.features.sum(1).chunk(2)[k])
    read = [set(rows_in(module.training_batches(0))) for module in parts]
    assert sum(map(len, read)) == len(set().union(*read)) == 8 * whole.batches_per_epoch


def test_a_process_reads_its_shards_only(several_files, changed):
    rows, card = rows_of(several_files), changed(shards=2, batch_size=8)
    first, second = (PairDataModule(rows, card, team=Team(rank, 2)) for rank in (0, 1))
    held = [set(module.training_batches(0).shards[0].windows[0].rows) for module in (first, second)]
    assert not held[0] & held[1]
    assert held[0] | held[1] == set(first.usable.train)


def test_balanced_epochs(several_files, changed):
    card = changed(balance={"classes": {"one_prong": 3, "two_prong": 1}}, batch_size=8)
    module = PairDataModule(rows_of(several_files), card)
    labels = torch.cat([batch.labels for batch in module.training_batches(0)])
    assert (labels == 1).double().mean().item() == pytest.approx(0.25, abs=0.03)
    held_out = torch.cat([batch.labels for batch in module.val_dataloader()])
    assert (held_out == 1).double().mean().item() == pytest.approx(0.25, abs=0.1)


def test_batches_in_bins_have_alike_partons(several_files, changed):
    rows = rows_of(several_files)
    spreads = []
    for bins in ({}, {"pt": 4}):
        module = PairDataModule(rows, changed(bins=bins, batch_size=8))
        batches = [*module.training_batches(0), *module.val_dataloader()]
        spreads.append(np.mean([rows.parton_pt[batch.rows.numpy()].std() for batch in batches]))
    assert spreads[1] < 0.5 * spreads[0]


def test_time_that_was_waited(module):
    batches = module.training_batches(0)
    list(batches)
    assert batches.waited > 0


@pytest.mark.parametrize(
    ("views", "data", "message"),
    [
        (
            {},
            {"batch_size": 4096},
            r"data.batch_size is 4096, but the training split has \d+ rows with two valid views",
        ),
        ({"source": "augment"}, {"batch_size": 4096}, r"\d+ rows with a valid view that views.pairs names; lower it"),
        (
            {},
            {"buffer": 40},
            r"training rows in 1 shards with a buffer of 40 rows give no batch of 32 rows.*data.buffer",
        ),
        (
            {},
            {"balance": {"classes": {"top": 1}}},
            "data.balance.classes names top, the data have one_prong, two_prong",
        ),
    ],
)
def test_impossible_data(table, changed, views, data, message):
    with pytest.raises(InputError, match=message):
        PairDataModule(table.rows, changed(views, **data))


def test_views_that_are_never_both_valid(tmp_path, changed):
    path = write_mock(tmp_path / "a.h5", 200)
    rows = rows_of([path])
    rows.valid[1] = ~rows.valid[0]
    with pytest.raises(InputError, match=r"training split has 0 rows with two valid views that views\.pairs allows"):
        PairDataModule(rows, changed())


def test_processes_that_cannot_share(table, changed):
    with pytest.raises(InputError, match=r"batch_size is 25, which 2 processes cannot share equally; choose a mult"):
        PairDataModule(table.rows, changed(batch_size=25), team=Team(0, 2))
    with pytest.raises(InputError, match=r"data.shards is 2, which 4 processes cannot share equally; choose a mult"):
        PairDataModule(table.rows, changed(shards=2), team=Team(0, 4))
    with pytest.raises(InputError, match=r"want at least 2 for each of 40 processes"):
        PairDataModule(table.rows, changed(batch_size=40), team=Team(0, 40))


def test_batches_carry_weights_only_where_they_differ(table, changed):
    assert next(iter(PairDataModule(table.rows, changed()).training_batches(0))).weights is None
    weights = np.where(np.arange(table.rows.n_rows) % 3 == 0, -1.5, 2.25)
    module = PairDataModule(replace(table.rows, weight=weights), changed())
    for batch in module.training_batches(0):
        assert batch.weights.tolist() == np.abs(weights[batch.rows]).tolist()


@pytest.mark.parametrize("skip", [1, 9, 14])
def test_what_was_used_is_skipped_without_being_read(table, changed, skip):
    """Batches of a streamed epoch from one on, and only the windows of rows that these are made of."""
    data = PairDataModule(table.rows, changed(batch_size=8, buffer=64))
    whole, rest = data.training_batches(1), data.training_batches(1)
    rest.load_state_dict({"taken": skip})
    wanted, read = list(whole), []
    (shard,) = rest.shards
    rest.shards = [replace(shard, reader=Recorder(shard.reader, read))]
    assert all_same(wanted[skip:], list(rest))
    assert (len(rest), rest.state_dict()) == (len(whole), {"taken": len(whole)})
    stops = np.cumsum([len(window.batches) for window in shard.windows])
    needed = [window.rows for window, stop in zip(shard.windows, stops, strict=True) if stop > skip]
    assert len(shard.windows) > 3
    assert {id(rows) for rows in read} == {id(rows) for rows in needed}
    data.teardown("fit")


class Recorder:
    """A reader that notes which rows it is asked for."""

    def __init__(self, reader, asked):
        self.reader, self.asked = reader, asked

    def read(self, rows):
        self.asked.append(rows)
        return self.reader.read(rows)

    def announce(self, rows):
        self.asked.append(rows)
        self.reader.announce(rows)
