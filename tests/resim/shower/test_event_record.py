"""Final particles read from the memory of the event record, and through the API."""

import numpy as np
import pytest
import pythia8mc

from resim.card.pythia_settings import shower_lines
from resim.card.stages import ShowerSection
from resim.hard_scatter.lhe_reading import survey
from resim.shower import event_record
from resim.shower.event_record import FINAL_PARTICLE, FinalParticles, final_particles_by_api, find_layout, join
from resim.shower.pythia import Pythia
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY, read_slice

QCD = HARD_SCATTERS / "qcd_jj.lhe.gz"


@pytest.fixture(scope="module")
def events():
    return read_slice("qcd_jj", 12)


@pytest.fixture(scope="module")
def pythia():
    return Pythia(survey(QCD, 1).beams, shower_lines(ShowerSection(card=REPOSITORY / "cards/pythia/monash.cmnd")))


def test_memory_layout_is_found_and_agrees_with_the_api(pythia, events):
    assert find_layout() is not None
    read = FinalParticles()
    for seed, event in enumerate(events, 1):
        fast = pythia.hadronize(pythia.shower(event, seed), seed)
        assert np.array_equal(fast, final_particles_by_api(pythia._pythia.event))
        assert np.array_equal(fast, read(pythia._pythia.event))
        assert fast.dtype.names == FINAL_PARTICLE.names


def test_an_empty_event_has_no_particles():
    found = FinalParticles()(pythia8mc.Event())
    assert len(found) == 0
    assert found.dtype.names == FINAL_PARTICLE.names


def test_without_a_layout_the_api_is_used(pythia, events, monkeypatch):
    fast = pythia.hadronize(pythia.shower(events[0], 1), 1)
    monkeypatch.setattr(event_record, "find_layout", lambda: None)
    assert np.array_equal(FinalParticles()(pythia._pythia.event), fast)


def test_a_layout_that_is_ambiguous_is_refused(monkeypatch):
    monkeypatch.setattr(event_record, "_find", lambda raw, event, name: None)
    assert find_layout() is None


def test_batch_joins_events_and_knows_charges(pythia, events):
    records = [pythia.hadronize(pythia.shower(event, 1), 1) for event in events[:2]]
    particles = join([records[0], np.empty(0, FINAL_PARTICLE), records[1]])
    assert np.diff(particles.offsets).tolist() == [len(records[0]), 0, len(records[1])]
    charge = dict(zip(particles.pdg_id.tolist(), particles.charge.tolist(), strict=True))
    assert (charge[211], charge[-211], charge[22]) == (1.0, -1.0, 0.0)
    assert particles.charge[: particles.offsets[1]].sum() == 2.0  # two protons
