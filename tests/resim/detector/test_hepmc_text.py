"""HepMC3 text of generated particles, read back by pyhepmc."""

import numpy as np
import pyhepmc
import pytest

from resim.detector.hepmc_text import write_hepmc
from tests.helpers.particles import random_particles


def test_particles_come_back_with_their_vertices(tmp_path):
    given = random_particles([20, 0, 1, 7])
    assert write_hepmc(tmp_path / "in.hepmc", [(given, [5, 6, 7, 8])]) == 3
    with pyhepmc.open(str(tmp_path / "in.hepmc")) as stream:
        events = list(stream)
    assert [event.event_number for event in events] == [5, 7, 8]
    for event, number in zip(events, (0, 2, 3), strict=True):
        own = given.events(number, number + 1)
        final = [p for p in event.particles if p.status == 1]
        found = np.array([(p.pid, *p.momentum, *list(p.production_vertex.position)[:3]) for p in final])
        wanted = np.stack([own.pdg_id, own.px, own.py, own.pz, own.energy, own.vx, own.vy, own.vz], axis=1)
        order, other = np.argsort(found[:, 1]), np.argsort(own.px)
        assert found[order] == pytest.approx(wanted[other], rel=1e-12, abs=1e-12)
        assert (event.momentum_unit.name, event.length_unit.name) == ("GEV", "MM")


def test_no_event_is_an_empty_listing(tmp_path):
    assert write_hepmc(tmp_path / "in.hepmc", [(random_particles([0]), [1])]) == 0
    assert (tmp_path / "in.hepmc").read_text().splitlines()[1:] == [
        "HepMC::Asciiv3-START_EVENT_LISTING",
        "HepMC::Asciiv3-END_EVENT_LISTING",
    ]
