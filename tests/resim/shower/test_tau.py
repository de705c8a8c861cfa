"""A tau keeps its decay channel in every view."""

import numpy as np
import pytest

from resim.card.pythia_settings import shower_lines
from resim.card.stages import ShowerSection
from resim.hard_scatter.lhe_reading import event_blocks, parse_event, survey
from resim.shower.pythia import Pythia
from resim.shower.tau import TauDecay, decay_products
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY

TAUS = HARD_SCATTERS / "tautau.lhe.gz"


@pytest.fixture(scope="module")
def events():
    return [parse_event(block, TAUS, index) for index, block in event_blocks(TAUS, 30)]


@pytest.fixture(scope="module")
def pythia():
    return Pythia(survey(TAUS, 1).beams, shower_lines(ShowerSection(card=REPOSITORY / "cards/pythia/monash.cmnd")))


@pytest.mark.slow
def test_a_forced_tau_repeats_its_channel_and_a_free_one_does_not(pythia, events):
    forced, free = 0, 0
    for seed, event in enumerate(events, 1):
        pythia.hadronize(pythia.shower(event, seed), seed)
        root = pythia.tau_decays()
        assert [decay.pdg_id for decay in root] == [p.id for p in event.particles if abs(p.id) == 15]
        record = pythia.shower(event, seed + 1000)
        pythia.hadronize(record, seed + 1000, root)
        forced += all(a.same_as(b) for a, b in zip(pythia.tau_decays(), root, strict=True))
        pythia.hadronize(record, seed + 1000)
        free += all(a.same_as(b) for a, b in zip(pythia.tau_decays(), root, strict=True))
    assert forced == len(events)
    assert free < len(events) / 2


def test_the_table_is_as_before_after_forcing(pythia, events):
    entry = pythia._pythia.particleData.particleDataEntryPtr(15)
    record = pythia.shower(events[0], 1)
    pythia.hadronize(record, 1)
    pythia.hadronize(record, 1, pythia.tau_decays())
    assert {entry.channel(i).onMode() for i in range(entry.sizeChannels())} == {1}


def test_a_decay_known_by_its_products_alone_is_forced_too(pythia, events):
    three_prong = TauDecay(15, (), (-211, -211, 16, 211))
    pythia.hadronize(pythia.shower(events[0], 3), 3, [three_prong])
    decays = {decay.pdg_id: decay for decay in pythia.tau_decays()}
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


def test_taus_are_told_apart_however_pythia_orders_them(pythia):
    """H and Z, both into taus, with the daughters of the H first in the file: Pythia lists those of the Z first."""
    import pylhe

    def particle(pdg_id, status, mothers, colours, momentum, mass):  # noqa: PLR0917 - as the columns of an LHE file
        return pylhe.LHEParticle(pdg_id, status, *mothers, *colours, *momentum, mass, lifetime=0.0, spin=9.0)

    def pair(mother, boost_px):
        """Two taus back to back in the transverse plane of a resonance at rest, pushed along x."""
        energy, p = 62.5, np.sqrt(62.5**2 - 1.777**2)
        gamma, beta = np.sqrt(1 + (boost_px / 125.0) ** 2), boost_px / np.hypot(125.0, boost_px)
        return [
            particle(
                sign * 15, 1, (mother, mother), (0, 0), (gamma * beta * energy, -sign * p, 0.0, gamma * energy), 1.777
            )
            for sign in (-1, 1)
        ]

    energy = np.hypot(125.0, 200.0)
    partons = [particle(i, -1, (0, 0), (c, d), (0.0, 0.0, z * energy, energy), 0.0) for i, c, d, z in ((2, 501, 0, 1), (-2, 0, 501, -1))]  # fmt: skip
    z, h = (particle(i, 2, (1, 2), (0, 0), (px, 0.0, 0.0, energy), 125.0) for i, px in ((23, 200.0), (25, -200.0)))
    event = pylhe.LHEEvent(
        pylhe.LHEEventInfo(8, 1, 1.0, 91.2, 0.0078, 0.118), [*partons, z, h, *pair(4, -200.0), *pair(3, 200.0)]
    )
    wanted = [p for p in event.particles if abs(p.id) == 15]
    for seed in range(1, 6):
        pythia.hadronize(pythia.shower(event, seed), seed)
        decays = pythia.tau_decays()
        assert [decay.pdg_id for decay in decays] == [p.id for p in wanted]
        record = pythia._pythia.event
        for tau, decay in zip(wanted, decays, strict=True):
            daughters = _nearest_tau_daughters(record, tau)
            assert tuple(sorted(daughters)) == decay.channel


def _nearest_tau_daughters(record, tau):
    """By hand: the decayed tau of this sign that flies most nearly in the direction of the LHE tau."""
    taus = [
        p for p in record if (p.id() == tau.id and abs(p.status()) >= 83) or (p.id() == tau.id and p.status() < 0)
    ]
    last = [p for p in taus if all(abs(record[i].id()) != 15 for i in p.daughterList())]
    best = max(last, key=lambda p: (p.px() * tau.px + p.py() * tau.py + p.pz() * tau.pz) / p.pAbs())
    return [record[i].id() for i in best.daughterList()]


@pytest.mark.parametrize(
    ("tree", "products"),
    [
        ({0: (15, [1, 2]), 1: (16, []), 2: (-211, [])}, (-211, 16)),
        (
            {0: (15, [1, 2]), 1: (16, []), 2: (-213, [3, 4]), 3: (-211, []), 4: (111, [5]), 5: (22, [])},
            (-211, 16, 111),
        ),
        (  # K*- -> K0bar pi-, K0bar -> K_S, which would decay to pions
            {
                0: (15, [1, 2]),
                1: (16, []),
                2: (-323, [3, 4]),
                3: (-311, [5]),
                4: (-211, []),
                5: (310, [6]),
                6: (211, []),
            },
            (-211, 16, 311),
        ),
        (  # omega -> pi0 gamma, and a radiated photon
            {
                0: (-15, [1, 2, 3, 4]),
                1: (-16, []),
                2: (211, []),
                3: (223, [5, 6]),
                4: (22, []),
                5: (111, []),
                6: (22, []),
            },
            (-16, 111, 211),
        ),
        ({0: (15, [1, 2, 3]), 1: (16, []), 2: (13, []), 3: (-14, [])}, (-14, 13, 16)),
        ({0: (15, [1, 2]), 1: (16, []), 2: (-9000211, [])}, (-9000211, 16)),
        ({0: (15, [])}, ()),
    ],
)
def test_the_normal_form_of_a_decay(tree, products):
    assert decay_products(0, lambda node: tree[node][1], lambda node: tree[node][0]) == products
