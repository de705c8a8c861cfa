"""Partners by energy mover's distance against a loop over all jets; what a batch shows of them."""

import numpy as np
import pytest

from jetssl.common.team import Team
from jetssl.config.card import load_card
from jetssl.data import partners as searching
from jetssl.data.datamodule import PairDataModule
from jetssl.data.emd import energy_movers_distance, flows
from jetssl.data.jets import gather_jets
from jetssl.data.partners import RADIUS
from jetssl.data.reading import JetSource
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from tests.helpers.toys import make_jets

EMD = ["views={pairing: emd, pairs: [[nominal, seed]], source: resim, candidates: 6}"]


@pytest.fixture(scope="module")
def two():
    rng = np.random.default_rng(8)
    return tuple(make_jets(rng, rng.integers(1, 9, 30).tolist()) for _ in range(2))


IDENTITY = np.repeat(np.arange(15), 2).astype(np.uint64)


def nearest(*arguments):
    return searching.nearest(*arguments, ProgressReport("pairing", 30, "rows", quiet=True))


def distances(first, second):
    table = [[energy_movers_distance(one, other, RADIUS) for other in flows(second)] for one in flows(first)]
    return np.where(IDENTITY[:, None] == IDENTITY, np.inf, table)


def test_with_all_candidates_it_is_the_nearest_of_all_and_with_few_hardly_farther(two):
    table, rows = distances(*two), np.arange(30)
    assert table[rows, nearest(*two, IDENTITY, 30)] == pytest.approx(table.min(1))
    few = nearest(*two, IDENTITY, 4)
    assert (IDENTITY[few] != IDENTITY).all()
    assert np.median(table[rows, few] / table.min(1)) < 1.2


def test_the_same_jets_of_other_hard_scatters_find_themselves(two):
    jets = two[0]
    moved = np.roll(np.arange(30), 2)
    found = nearest(jets, jets.take(moved), IDENTITY, 4)
    assert np.array_equal(moved[found], np.arange(30))


def test_one_hard_scatter_has_no_partner(two):
    with pytest.raises(InputError, match="one hard scatter"):
        nearest(*two, np.zeros(30, np.uint64), 4)


def test_batches_show_a_jet_and_its_partner_of_the_same_split(card_file, table):
    module = PairDataModule(table.rows, load_card(card_file, EMD))
    partner, rows = module.look.partner, table.rows
    split = np.full(rows.n_rows, -1)
    for number, side in enumerate(module.usable.sides):
        split[side] = number
    with_partner = np.flatnonzero(partner >= 0)
    assert set(split[with_partner]) == {0, 1}
    assert np.array_equal(split[partner[with_partner]], split[with_partner])
    assert (rows.identity[partner[with_partner]] != rows.identity[with_partner]).all()
    for batches in (module.training_batches(0), module.val_dataloader()):
        batch = batches.batch(0)
        shown, n = batch.rows.numpy(), len(batch.rows)
        wanted = gather_jets(table, np.repeat([0, 1], n), np.concatenate([shown, partner[shown]]))
        assert np.array_equal(batch.kinematics[:, 0].numpy(), wanted.jet_pt)
        assert np.array_equal(batch.labels.numpy(), rows.class_index[shown])


def test_the_first_process_looks_for_the_pairs_of_all(card_file, table, monkeypatch):
    wanted = np.arange(table.rows.n_rows)
    monkeypatch.setattr(Team, "once", lambda team, action: wanted)
    assert PairDataModule(table.rows, load_card(card_file, EMD)).look.partner is wanted


def test_every_row_is_reported_and_files_are_closed_whatever_happens(card_file, table, monkeypatch):
    told, closed = [], []
    close = JetSource.close
    monkeypatch.setattr(ProgressReport, "advance", lambda progress, amount: told.append(amount))
    monkeypatch.setattr(JetSource, "close", lambda source: (closed.append(source), close(source)))
    module = PairDataModule(table.rows, load_card(card_file, EMD))
    assert sum(told) == (module.look.partner >= 0).sum()
    assert len(closed) == 1

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(searching, "nearest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        PairDataModule(table.rows, load_card(card_file, EMD))
    assert len(closed) == 2


def test_cards_that_make_no_sense_are_one_line(card_file, table):
    for overrides, message in (
        (["views={pairing: emd}"], "want one pair of two named views"),
        (["views={pairing: emd, source: augment, pairs: [[nominal, seed]]}"], "want one pair of two named views"),
        ([*EMD, "objective.name=supcon"], "objective supcon wants no pairs"),
        ([*EMD, "objective.name=mpm"], "objective mpm wants no pairs"),
    ):
        with pytest.raises(InputError, match=message):
            load_card(card_file, overrides)
    with pytest.raises(InputError, match=r"set data.shards to 1 and raise data.buffer \(64\)"):
        PairDataModule(table.rows, load_card(card_file, [*EMD, "data.buffer=64"]))
