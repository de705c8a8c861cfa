from dataclasses import replace

import numpy as np
import pytest
import pythia8mc

from resim.card.pythia_settings import shower_lines
from resim.card.stages import ShowerSection
from resim.common.errors import InputError
from resim.hard_scatter.lhe_header import read_header
from resim.hard_scatter.lhe_reading import event_blocks, parse_event, survey
from resim.shower.event_record import final_particles_by_api
from resim.shower.pythia import EventFeed, Pythia
from tests.helpers.chain import FAULTS, HARD_SCATTERS, REPOSITORY

MONASH = REPOSITORY / "cards/pythia/monash.cmnd"
QCD = HARD_SCATTERS / "qcd_jj.lhe.gz"


@pytest.fixture(scope="module")
def events():
    return [parse_event(block, QCD, index) for index, block in event_blocks(QCD, 12)]


@pytest.fixture(scope="module")
def pythia():
    return Pythia(survey(QCD, 1).beams, shower_lines(ShowerSection(card=MONASH)))


def test_an_event_depends_on_its_seeds_alone(pythia, events):
    def make(event):
        return pythia.hadronize(pythia.shower(event, seed=11), seed=12)

    alone = make(events[3])
    for event in events[:3]:
        make(event)
    assert np.array_equal(make(events[3]), alone)


def test_another_shower_seed_gives_another_event(pythia, events):
    a, b = (pythia.hadronize(pythia.shower(events[0], seed), seed=12) for seed in (1, 2))
    assert len(a) != len(b) or not np.array_equal(a, b)


def test_rehadronization_keeps_the_parton_level_bit_by_bit(pythia, events):
    record = pythia.shower(events[0], seed=5)
    before = [(p.id(), p.status(), p.px(), p.e(), p.col(), p.acol()) for p in record]
    first, again, other = (pythia.hadronize(record, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert [(p.id(), p.status(), p.px(), p.e(), p.col(), p.acol()) for p in record] == before


class _Reseed(pythia8mc.UserHooks):
    """Seeds the hadron level of an ordinary Pythia run, between its two steps."""

    def __init__(self, pythia):
        super().__init__()
        self.pythia = pythia

    def canVetoPartonLevel(self):  # noqa: N802 - Pythia's name
        return True

    def doVetoPartonLevel(self, event):  # noqa: N802 - Pythia's name
        self.pythia.rndm.init(1000)
        return False


@pytest.mark.slow
def test_the_two_steps_equal_one_ordinary_run_bit_by_bit(pythia, events):
    """Freezing the parton level and hadronizing a copy of it is what `pythia.next()` does: there is no bias."""
    ordinary, feed = pythia8mc.Pythia("", False), EventFeed(survey(QCD, 1).beams)
    own = ("Print:quiet = on", "SLHA:verbose = 0", "Beams:frameType = 5", "Random:setSeed = on", "Random:seed = 1")
    for line in (*own, *shower_lines(ShowerSection(card=MONASH))):
        assert ordinary.readString(line)
    hook = _Reseed(ordinary)
    ordinary.setUserHooksPtr(hook)
    ordinary.setLHAupPtr(feed)
    assert ordinary.init()
    for seed, event in enumerate(events, 1):
        feed.event = event
        ordinary.rndm.init(seed)
        assert ordinary.next()
        assert np.array_equal(
            final_particles_by_api(ordinary.event), pythia.hadronize(pythia.shower(event, seed), 1000)
        )


def test_the_record_itself_is_hadronized_as_its_copy_is(pythia, events):
    for seed, event in enumerate(events[:4], 1):
        copied = pythia.hadronize(pythia.shower(event, seed), 1000)
        assert np.array_equal(pythia.hadronize(pythia.shower(event, seed, keep=False), 1000), copied)


def test_the_hard_process_is_the_lhe_event(pythia, events):
    pythia.shower(events[2], seed=7)
    process = pythia._pythia.process
    ours = [(p.id, p.px, p.py, p.pz) for p in events[2].particles if p.status == 1]
    theirs = [(process[i].id(), process[i].px(), process[i].py(), process[i].pz()) for i in range(5, process.size())]
    for (ours_id, *ours_p), (theirs_id, *theirs_p) in zip(ours, theirs, strict=True):
        assert ours_id == theirs_id
        assert theirs_p == pytest.approx(ours_p, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_events_without_a_scale_are_showered_all_the_same(pythia, events, scale):
    def partons(event):
        return sum(particle.isFinal() for particle in pythia.shower(event, seed=1))

    without = replace(events[0], eventinfo=replace(events[0].eventinfo, scale=scale))
    assert partons(without) > 0.5 * partons(events[0])


def test_energy_and_momentum_are_conserved(pythia, events):
    particles = pythia.hadronize(pythia.shower(events[1], seed=3), seed=4)
    total = [particles[name].sum() for name in ("px", "py", "pz", "energy")]
    assert total == pytest.approx([0, 0, 0, 13000], abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("card", sorted((REPOSITORY / "cards/pythia").glob("*.cmnd")), ids=lambda path: path.stem)
def test_shipped_tunes_are_what_pythia_takes(card, events):
    other = Pythia(survey(QCD, 1).beams, shower_lines(ShowerSection(card=card)))
    record = other.shower(events[0], seed=1)
    assert np.array_equal(other.hadronize(record, 2), other.hadronize(record, 2))


def test_vincia_can_be_frozen_and_hadronized_anew(pythia, events):
    vincia = Pythia(survey(QCD, 1).beams, shower_lines(ShowerSection(card=MONASH, model="vincia")))
    record = vincia.shower(events[0], seed=1)
    first, again, other = (vincia.hadronize(record, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, pythia.hadronize(pythia.shower(events[0], 1), 1))


def test_a_setting_that_pythia_does_not_know_is_named(capfd):
    with pytest.raises(InputError, match="refuses the setting 'Tune:qq = 1'"):
        Pythia(survey(QCD, 1).beams, ["Tune:qq = 1"])
    assert capfd.readouterr().out == ""  # Pythia's own complaint would stand among the results


def test_what_pythia_says_of_a_failure_is_quoted():
    with pytest.raises(InputError, match=r"cannot be initialized .* could not set up PDF for beam A"):
        Pythia(survey(QCD, 1).beams, ["PDF:pSet = LHAPDF6:NONE"])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "settings"), [("phi", ()), ("n2", ()), ("gg", (FAULTS / "photon.cmnd",))])
def test_new_particles_and_photons_are_simulated_as_by_pythias_own_reader(name, settings):
    """QNUMBERS, MASS and DECAY of the header; n2 -> n1 h of the header; photons from protons (plain Pythia: all)."""
    path = FAULTS / f"{name}.lhe"
    lines = [line for card in settings for line in card.read_text().splitlines()]
    pythia = Pythia(survey(path).beams, lines, read_header(path).slha)
    events = [parse_event(block, path, index) for index, block in event_blocks(path)]
    assert len(events) >= 8
    for seed, event in enumerate(events, 1):
        record = pythia.shower(event, seed)
        assert record is not None, pythia.complaints()
        final = pythia.hadronize(record, seed)
        assert not {9000006, 1000023} & set(final["pdg_id"].tolist())
        if name == "n2":
            assert (final["pdg_id"] == 1000022).sum() == 2  # n2 n2 -> n1 h n1 h


def test_events_that_pythia_weights_are_refused(events):
    lines = (FAULTS / "enh.cmnd").read_text().splitlines()
    with pytest.raises(InputError, match=r"gives an event the weight 0\.\d+, which views do not keep"):
        Pythia(survey(QCD, 1).beams, lines).shower(events[0], seed=5)
