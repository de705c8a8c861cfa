"""Tops of an LHE file that end in W b, with the W left undecayed (MadGraph's `t > w+ b`)."""

from dataclasses import replace

import numpy as np
import pytest

from resim.card.run_options import RunOptions
from resim.hard_scatter.event_checks import check_colours, check_event
from resim.hard_scatter.lhe_reading import event_blocks, parse_event, survey
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.run.generate import generate
from resim.run.replay import replay
from resim.shower.pythia import Pythia
from resim.shower.resonances import ResonanceDecays
from tests.helpers.chain import FAULTS, fault_card

TOP = FAULTS / "top_open_w.lhe"


@pytest.fixture(scope="module")
def decays():
    pythia = Pythia(survey(TOP, 1).beams, ["PartonLevel:all = off"])
    return ResonanceDecays(pythia, 1, "ab" * 32)


@pytest.fixture(scope="module")
def events():
    return [parse_event(block, TOP, index) for index, block in event_blocks(TOP, 4)]


def test_an_event_is_decayed_and_stays_a_sound_event(decays, events):
    for index, event in enumerate(events):
        made = decays(event, index)
        check_event(made)
        check_colours(made)
        bosons = [p for p in made.particles if abs(p.id) == 24]
        assert {p.status for p in bosons} == {2}
        assert made.eventinfo.nparticles == len(made.particles) == len(event.particles) + 2 * len(bosons)
        numbers = [i for i, p in enumerate(made.particles, 1) if abs(p.id) == 24]
        for number, boson in zip(numbers, bosons, strict=True):
            children = [p for p in made.particles if number in (p.mother1, p.mother2)]
            assert [sum(getattr(p, name) for p in children) for name in ("px", "py", "pz", "e")] == pytest.approx(
                [boson.px, boson.py, boson.pz, boson.e], rel=1e-6, abs=1e-6
            )


def test_decays_depend_on_seed_and_index_alone(decays, events):
    assert decays(events[0], 0) == decays(events[0], 0)
    others = [decays(events[0], index) for index in range(1, 6)]
    assert any([p.id for p in other.particles] != [p.id for p in others[0].particles] for other in others[1:])
    decayed = decays(events[0], 0)
    assert decays(decayed, 0) is decayed  # nothing is left to decay


@pytest.mark.slow
def test_all_views_share_the_decay(tmp_path, caplog):
    """The visible mass of a top differs little between views: hadronic in both, or leptonic in both."""
    card = fault_card(tmp_path, "top_open_w.lhe", {6: "top"}, decay="frozen", select={"parton_pt_min": 300})
    options = RunOptions(n_events=14, quiet=True)
    generate(card, tmp_path / "a.h5", options)
    generate(card, tmp_path / "b.h5", replace(options, chunk_size=5))
    assert digest(tmp_path / "a.h5") == digest(tmp_path / "b.h5")
    assert "undecayed" not in caplog.text
    with PairFile(tmp_path / "a.h5") as file:
        both = file.valid("nominal") & file.valid("seed")
        heavy = [file.jets(view, "mass")[both] > 140 for view in ("nominal", "seed")]
        assert both.sum() >= 14
        assert np.mean(heavy[0] != heavy[1]) < 0.3  # decayed anew: about half
    assert replay(tmp_path / "a.h5", 1).differing == ()
