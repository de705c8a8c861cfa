"""Events that no generator could shower; whole files with such events are in `test_lhe_reading`."""

from dataclasses import replace

import pytest

from resim.hard_scatter.event_checks import (
    DefectError,
    check_colours,
    check_energies,
    check_event,
    check_sound,
    decays_balance,
)
from tests.helpers.chain import read_slice


@pytest.fixture(scope="module")
def event():
    return read_slice("qcd_jj", 1)[0]


def changed(event, number, **fields):
    particles = list(event.particles)
    particles[number] = replace(particles[number], **fields)
    return replace(event, particles=particles)


def test_a_shipped_event_is_sound(event):
    check_event(event)
    check_colours(event)


@pytest.mark.parametrize(
    ("change", "reason", "message"),
    [
        (lambda e: changed(e, 2, px=float("nan")), "not_finite", "particle 3 .* not finite"),
        (lambda e: changed(e, 3, e=1.1 * e.particles[3].e), "unbalanced", "e is out of balance"),
        (lambda e: changed(e, 0, status=2), "unparsable", "has 1 incoming"),
        (lambda e: changed(e, 2, status=2212), "out_of_range", "particle 3 .* the status 2212"),
        (lambda e: changed(e, 2, color1=10**10), "out_of_range", "the colour 10000000000, want 2147483647"),
        (lambda e: changed(e, 2, id=2**31), "out_of_range", "the PDG id 2147483648"),
        (lambda e: changed(e, 2, mother1=3), "mothers", "particle 3 .* has the mothers 3 2, want earlier"),
        (lambda e: replace(e, particles=e.particles * 200), "out_of_range", "800 particles, want 500 at most"),
        (lambda e: replace(e, eventinfo=replace(e.eventinfo, scale=float("inf"))), "not_finite", "scale inf"),
    ],
)
def test_a_defect_has_its_reason(event, change, reason, message):
    with pytest.raises(DefectError, match=message) as caught:
        check_event(change(event))
    assert caught.value.reason == reason


def test_a_parton_has_at_most_the_energy_of_its_beam():
    check_energies([6500.0, 1.0], [6500.0, 6500.0])
    with pytest.raises(DefectError, match=r"7000 GeV, its beam 6500 GeV \(x = 1.077\)") as caught:
        check_energies([1.0, 7000.0], [6500.0, 6500.0])
    assert caught.value.reason == "above_the_beam_energy"


@pytest.mark.parametrize(
    ("pdg_id", "color1", "color2"), [(21, 501, 0), (1, 0, 501), (-1, 501, 0), (5, 0, 0), (23, 501, 0)]
)
def test_partons_without_their_colours(event, pdg_id, color1, color2):
    with pytest.raises(DefectError) as caught:
        check_colours(changed(event, 2, id=pdg_id, color1=color1, color2=color2))
    assert caught.value.reason == "without_colours"


def test_a_colour_line_without_an_end(event):
    gluon = next(i for i, p in enumerate(event.particles) if p.color1)
    with pytest.raises(DefectError, match=r"beginnings and . ends, want as many") as caught:
        check_sound(changed(event, gluon, color1=999), (6500.0, 6500.0))
    assert caught.value.reason == "colour_lines"


def test_a_decay_that_loses_momentum_is_seen(event):
    higgs = read_slice("hbb_j", 1)[0]
    (product, *_) = (i for i, p in enumerate(higgs.particles) if p.mother1 == p.mother2 == 3)
    assert decays_balance(higgs)
    assert decays_balance(event)
    assert not decays_balance(changed(higgs, product, px=higgs.particles[product].px + 100))
