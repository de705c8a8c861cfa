"""Batches of live views are the same, however many processes make them."""

import numpy as np
import pytest

from jetssl.common.seeds import Stream
from jetssl.config.data import LiveCard
from jetssl.data.datamodule import PairDataModule
from jetssl.data.live import Exposure
from jetssl.data.live_hadrons import Asked
from jetssl.data.live_processes import LiveProcesses
from jetssl.data.reading import Place
from jetssl.data.table import load_pairs
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from tests.helpers.chain import REPOSITORY

CARD = REPOSITORY / "cards/delphes/cms_tracking.tcl"
ADDRESS = (1, Stream.TRAINING_BATCH, 4)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return load_pairs([write_mock(tmp_path_factory.mktemp("live") / "generated.h5", 120, ("generated", "seed"))])


@pytest.mark.slow
def test_batches_are_the_same_whoever_makes_them(table, card):
    data = card.data.model_dump() | {"batch_size": 16}
    batches = []
    for processes in (1, 2):
        views = {"source": "live", "pairs": [("generated", "generated")]}
        views["live"] = {"detector": str(CARD), "processes": processes}
        module = PairDataModule(table.rows, card.model_validate(card.model_dump() | {"data": data, "views": views}))
        batches.append([batch.jets.features for batch in module.training_batches(0)])
        batches.append([module.training_batches(0).batch(i).jets.features for i in range(len(batches[0]))])
        other = module.training_batches(1).batch(0).jets.features
        module.teardown("fit")
    assert len(batches[0]) > 2
    for made in batches[1:]:
        assert all(a.shape == b.shape and (a == b).all() for a, b in zip(batches[0], made, strict=True))
    assert other.shape != batches[0][0].shape or not (other == batches[0][0]).all()


def wanted_of(live, table):
    row = np.flatnonzero(table.rows.valid[0])[:2]
    return live.asked(table, np.zeros(4, np.int64), np.tile(row, 2), row, ADDRESS)


def test_processes_that_end_are_named(table):
    live = LiveProcesses(LiveCard(detector=CARD), 0.8, Place.of(table.rows))
    wanted = wanted_of(live, table)
    assert isinstance(wanted, Exposure)
    live._setup = None
    with pytest.raises(TypeError):
        live(wanted)
    live.close()


def test_what_is_hadronized_anew_needs_the_lhe_files(table):
    with pytest.raises(InputError, match=r"generated\.h5"):
        LiveProcesses(LiveCard(rehadronize=True), 0.8, Place.of(table.rows))


def test_what_is_hadronized_anew_is_asked_for_by_row(table, monkeypatch):
    monkeypatch.setattr("jetssl.data.live_processes.Hadronizer", lambda *_: None)
    wanted = wanted_of(LiveProcesses(LiveCard(rehadronize=True), 0.8, Place.of(table.rows)), table)
    assert isinstance(wanted, Asked)
    assert wanted.place.tolist() == [0, 0, 1, 1]
