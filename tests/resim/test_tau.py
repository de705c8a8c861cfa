"""A tau keeps its decay channel in every view."""

import pytest

from resim.config import Shower
from resim.hard_scatter.reading import event_blocks, parse_event, survey
from resim.shower.pythia import Pythia
from resim.shower.settings import shower_lines
from resim.shower.tau import TauDecay, decay_products
from tests.resim.conftest import HARD_SCATTERS, REPOSITORY

TAUS = HARD_SCATTERS / "tautau.lhe.gz"


@pytest.fixture(scope="module")
def events():
    return [parse_event(block, TAUS, index) for index, block in event_blocks(TAUS, 30)]


@pytest.fixture(scope="module")
def pythia():
    return Pythia(survey(TAUS, 1).beams, shower_lines(Shower(card=REPOSITORY / "cards/pythia/monash.cmnd")))


def test_a_forced_tau_repeats_its_channel_and_a_free_one_does_not(pythia, events):
    forced, free = 0, 0
    for seed, event in enumerate(events, 1):
        pythia.hadronize(pythia.shower(event, seed), seed)
        root = pythia.tau_decays(2)
        assert [decay.pdg_id for decay in root] == [p.id for p in event.particles if abs(p.id) == 15]
        record = pythia.shower(event, seed + 1000)
        pythia.hadronize(record, seed + 1000, root)
        forced += pythia.tau_decays(2) == root
        pythia.hadronize(record, seed + 1000)
        free += pythia.tau_decays(2) == root
    assert forced == len(events)
    assert free < len(events) / 2


def test_the_table_is_as_before_after_forcing(pythia, events):
    entry = pythia._pythia.particleData.particleDataEntryPtr(15)
    record = pythia.shower(events[0], 1)
    pythia.hadronize(record, 1)
    pythia.hadronize(record, 1, pythia.tau_decays(2))
    assert {entry.channel(i).onMode() for i in range(entry.sizeChannels())} == {1}


def test_a_decay_known_by_its_products_alone_is_forced_too(pythia, events):
    three_prong = TauDecay(15, (), (-211, -211, 16, 211))
    pythia.hadronize(pythia.shower(events[0], 3), 3, [three_prong])
    decays = {decay.pdg_id: decay for decay in pythia.tau_decays(2)}
    assert decays[15].products == three_prong.products
    assert decays[15].n_prongs == 3


@pytest.mark.parametrize(
    ("tree", "products"),
    [
        ({0: [16, -213], -213: [-211, 111]}, (-211, 16, 111)),
        ({0: [16, -20213], -20213: [113, -211], 113: [211, -211]}, (-211, -211, 16, 211)),
        ({0: [16, -211, 22]}, (-211, 16)),  # radiation
        ({0: [16, -321, 310], 310: [111, 111]}, (-321, 16, 311)),
        ({0: [16, 11, -12]}, (-12, 11, 16)),
    ],
)
def test_products_do_not_depend_on_the_resonances(tree, products):
    assert decay_products(0, lambda node: tree.get(node, []), lambda node: node) == products
