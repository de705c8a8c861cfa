import math
from pathlib import Path

import pytest

from resim.card.generation_card import Selection
from resim.hard_scatter.lhe_reading import event_blocks, parse_event
from resim.hard_scatter.partons import find_partons, rejection
from tests.helpers.chain import HARD_SCATTERS


def event_of(name: str, index: int = 0):
    path = HARD_SCATTERS / f"{name}.lhe.gz"
    blocks = dict(event_blocks(path, index + 1))
    return parse_event(blocks[index], path, index)


def make_event(*particles: tuple[int, int, int]):
    """An event of (PDG id, status, mother); momenta balance because everything but the last is at rest."""
    lines = [f"{n} {s} {m} 0 0 0 0 0 0 {100.0 if s == -1 else 0.0} 0 0 9" for n, s, m in particles[:-1]]
    n, s, m = particles[-1]
    lines.append(f"{n} {s} {m} 0 0 0 0 0 0 200.0 0 0 9")
    text = f"{len(particles)} 1 1.0 91.0 0.007 0.118\n" + "\n".join(lines)
    return parse_event(text, Path("made.lhe"), 0)


def test_higgs_with_the_kinematics_of_the_file():
    (higgs,) = find_partons(event_of("hbb_j"), {25: "hbb"})
    assert (higgs.pdg_id, higgs.label, higgs.mass) == (25, "hbb", pytest.approx(125.0, abs=0.1))
    assert higgs.pt == pytest.approx(math.hypot(318.03332826, 10.667186226))
    assert higgs.eta == pytest.approx(math.asinh(308.68853888 / higgs.pt))
    assert -math.pi < higgs.phi <= math.pi


def test_both_outgoing_partons_of_a_dijet_and_never_the_incoming_ones():
    partons = find_partons(event_of("qcd_jj", 1), {2: "qcd_q"})
    assert [parton.pdg_id for parton in partons] == [2, 2]
    assert all(parton.pt > 250 for parton in partons)


def test_what_comes_from_a_row_is_no_row_of_its_own():
    top = event_of("top")
    assert [p.pdg_id for p in find_partons(top, {6: "top", 24: "w", 5: "b"})] == [6, -6]
    assert sorted(p.pdg_id for p in find_partons(top, {24: "w", 5: "b"})) == [-24, -5, 5, 24]


def test_the_last_copy_of_a_resonance_counts():
    copies = make_event((21, -1, 0), (21, -1, 0), (25, 2, 1), (25, 2, 3), (5, 1, 4), (-5, 1, 4))
    (higgs,) = find_partons(copies, {25: "h"})
    assert higgs.energy == 0.0  # both copies are alike here; what counts is that there is one


def test_a_parton_along_the_beam_is_never_a_row():
    (higgs,) = find_partons(make_event((21, -1, 0), (21, -1, 0), (25, 1, 1)), {25: "h"})
    assert rejection(higgs, Selection()) == "along_the_beam"


@pytest.mark.parametrize(
    ("cuts", "reason"),
    [
        ({}, None),
        ({"parton_pt_min": 319}, "parton_pt_min"),
        ({"parton_pt_max": 318}, "parton_pt_max"),
        ({"parton_abs_eta_max": 0.8}, "parton_abs_eta_max"),
        ({"parton_pt_min": 300, "parton_pt_max": 400, "parton_abs_eta_max": 1.0}, None),
    ],
)
def test_cuts(cuts, reason):
    (higgs,) = find_partons(event_of("hbb_j"), {25: "hbb"})
    assert rejection(higgs, Selection(**cuts)) == reason
