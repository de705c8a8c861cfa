"""HepMC files: units, damage, and which LHE event an output was made from."""

import math
from dataclasses import replace

import pyhepmc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.common.errors import InputError
from resim.shower.event_record import FINAL_PARTICLE
from resim.shower.hepmc import final_particles, in_order, read_events
from tests.helpers.chain import read_slice


@pytest.fixture(scope="module")
def events():
    return read_slice("qcd_jj", 5)


def small_event() -> pyhepmc.GenEvent:
    event = pyhepmc.GenEvent(pyhepmc.Units.MEV, pyhepmc.Units.CM)
    proton = pyhepmc.GenParticle((0, 0, 6.5e6, 6.5e6), 2212, 4)
    kaon, pion, photon = (
        pyhepmc.GenParticle(momentum, pdg_id, status)
        for momentum, pdg_id, status in (
            ((1000, 2000, 3000, 5000), 310, 2),
            ((300, 400, 0, 1300), 211, 1),
            ((0, 0, 2000, 2000), 22, 1),
        )
    )
    pion.generated_mass = 1200
    start, decay = pyhepmc.GenVertex((0, 0, 0, 0)), pyhepmc.GenVertex((1, 2, 3, 4))
    start.add_particle_in(proton)
    for particle in (kaon, photon):
        start.add_particle_out(particle)
    decay.add_particle_in(kaon)
    decay.add_particle_out(pion)
    event.add_vertex(start)
    event.add_vertex(decay)
    return event


@pytest.mark.parametrize("writer", ["WriterAscii", "WriterAsciiHepMC2"])
def test_units_are_converted_to_gev_and_mm(tmp_path, writer):
    path = tmp_path / "events.hepmc"
    with getattr(pyhepmc.io, writer)(str(path)) as stream:
        stream.write(small_event())
    (event,) = read_events(path)
    rows = {int(row["pdg_id"]): row for row in final_particles(event)}
    assert set(rows) == {211, 22}
    assert [rows[211][name] for name in FINAL_PARTICLE.names[1:]] == pytest.approx(
        [0.3, 0.4, 0, 1.3, 1.2, 10, 20, 30]
    )
    assert [rows[22][name] for name in FINAL_PARTICLE.names[1:]] == pytest.approx([0, 0, 2, 2, 0, 0, 0, 0])


def test_a_damaged_event_ends_the_events_in_silence(tmp_path, capfd):
    """HepMC3 prints on stdout what it cannot parse; that events are missing is for `in_order` to find."""
    path = tmp_path / "events.hepmc"
    with pyhepmc.io.WriterAscii(str(path)) as stream:
        stream.write(small_event())
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(("V", "P 3"))))
    assert list(read_events(path)) == []
    assert capfd.readouterr().out == ""


def hard_event(lhe, blur: float = 0.0) -> pyhepmc.GenEvent:
    """Nothing but the particles of the LHE event, their momenta multiplied by 1 + `blur`."""
    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    vertex = pyhepmc.GenVertex((0, 0, 0, 0))
    for p in lhe.particles:
        momentum = [x * (1 + blur) for x in (p.px, p.py, p.pz, math.hypot(p.px, p.py, p.pz, p.m))]
        particle = pyhepmc.GenParticle(momentum, p.id, 11)
        (vertex.add_particle_in if p.status == -1 else vertex.add_particle_out)(particle)
    event.add_vertex(vertex)
    return event


@given(chosen=st.lists(st.integers(0, 4), max_size=6))
def test_only_outputs_in_the_order_of_the_slice_are_accepted(chosen):
    """Four events and one spare: right are exactly four different ones in order; the spare is not among the results."""
    *events, spare = read_slice("top", 5)
    outputs = [hard_event([*events, spare][index]) for index in chosen]
    if len(chosen) == 4 and chosen == sorted(set(chosen)):
        made = in_order(outputs, events, [spare])
        assert [index for index, event in enumerate(made) if event is not None] == [i for i in chosen if i < 4]
    else:
        with pytest.raises(InputError, match=r"of the output is|the output ends"):
            in_order(outputs, events, [spare])


def test_partons_may_differ_by_rounding_only(events):
    assert in_order([hard_event(events[0], 1e-7)], events[:1], [])[0] is not None
    with pytest.raises(InputError, match="foreign"):
        in_order([hard_event(events[0], 1e-5)], events[:1], [])


def test_a_parton_of_another_flavour_is_foreign(events):
    other = replace(events[0], particles=[replace(p, id=p.id + 1) for p in events[0].particles])
    with pytest.raises(InputError, match="foreign"):
        in_order([hard_event(other)], events[:1], [])
