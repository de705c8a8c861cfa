"""Herwig 7 is not installed here: a stand-in with its command line and file formats takes its place."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from resim.card.herwig_settings import read_herwig_card
from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import Beams, event_blocks, parse_event
from resim.shower.event_record import FINAL_PARTICLE
from resim.shower.herwig import SEED_MAX, Herwig, SliceFailed
from tests.helpers.chain import REPOSITORY, read_slice

CARD = REPOSITORY / "cards/herwig/default.in"
BEAMS = Beams(2212, 2212, 6500.0, 6500.0)
SEED = 12345


@pytest.fixture(scope="module")
def events():
    return read_slice("qcd_jj", 5)


def herwig() -> Herwig:
    return Herwig(BEAMS, read_herwig_card(CARD))


def calls(stand_in: Path, what: str = "arguments") -> list[list[str]]:
    return [json.loads(line)[what] for line in (stand_in / "calls").read_text().splitlines()]


def left_behind(stand_in: Path) -> list[Path]:
    return list((stand_in / "scratch").iterdir())


def same(a, b) -> bool:
    return len(a) == len(b) and all(np.array_equal(x.particles, y.particles) for x, y in zip(a, b, strict=True))


# The order of the calls and what they are given


@pytest.mark.slow
def test_every_event_comes_back_in_its_place_and_nothing_is_left_behind(stand_in, events, capfd):
    made = herwig().simulate(events, SEED)
    assert len(made) == len(events)
    for event in made:
        assert event.particles.dtype == FINAL_PARTICLE
        assert event.tau_decays == ()
        assert abs(event.particles["energy"].sum() - 13_000) < 1
        assert abs(event.particles["px"].sum()) < 0.1
    assert left_behind(stand_in) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_reads_the_input_file_once_and_passes_number_and_seed(stand_in, events):
    instance = herwig()
    assert instance.version == "7.3.0"
    instance.simulate(events, SEED)
    instance.simulate(events[:2], 7)
    assert calls(stand_in) == [
        ["--version"],
        ["read", "resim.in"],
        ["run", "resim.run", "-N", "5", "-s", str(SEED), "-q"],
        ["run", "resim.run", "-N", "2", "-s", "7", "-q"],
    ]


@pytest.mark.slow
def test_the_seed_and_the_slice_decide_alone(stand_in, events, monkeypatch, tmp_path):
    first = herwig().simulate(events, SEED)
    monkeypatch.setenv("STAND_IN_CACHE", str(tmp_path))
    instance = herwig()
    other = instance.simulate(events, SEED + 1)
    assert same(instance.simulate(events, SEED), first)
    assert not same(other, first)


def test_the_run_file_does_not_depend_on_the_first_slice(stand_in, events, monkeypatch):
    monkeypatch.setenv("STAND_IN_MODE", "no output")
    for index in (0, 1):
        with pytest.raises(SliceFailed):
            herwig().simulate(events[index : index + 1], SEED)
    _, read, run, _, read_again, run_again = calls(stand_in, "lhe")
    assert read == read_again
    assert run != run_again


def test_spare_events_are_those_of_the_slice_turned_by_pi(stand_in, events, monkeypatch, tmp_path):
    monkeypatch.setenv("STAND_IN_MODE", "no output")
    with pytest.raises(SliceFailed):
        herwig().simulate(events, SEED)
    path = tmp_path / "seen.lhe"
    path.write_text(calls(stand_in, "lhe")[-1])
    seen = [parse_event(block, path, index) for index, block in event_blocks(path)]
    assert [event.particles for event in seen[: len(events)]] == [event.particles for event in events]
    for spare, event in zip(seen[len(events) :], events, strict=True):
        momenta = [[(p.px, p.py, p.pz, p.e) for p in e.particles] for e in (spare, event)]
        assert momenta[0] == [(-px, -py, pz, e) for px, py, pz, e in momenta[1]]


@pytest.mark.parametrize("seed", [0, -1, SEED_MAX + 1])
def test_refuses_seeds_that_herwig_would_ignore_or_repeat(stand_in, events, seed):
    with pytest.raises(ValueError, match=f"seed {seed} is outside"):
        herwig().simulate(events, seed)


def test_an_empty_slice_needs_no_herwig(stand_in):
    assert herwig().simulate([], SEED) == []
    assert calls(stand_in) == [["--version"]]


@pytest.mark.slow
def test_both_hepmc_formats_give_the_same_particles(stand_in, events, monkeypatch):
    first = herwig().simulate(events, SEED)
    monkeypatch.setenv("STAND_IN_FORMAT", "GenEventHepMC3")
    for a, b in zip(herwig().simulate(events, SEED), first, strict=True):
        rows_a, rows_b = (np.sort(event.particles, order=("pdg_id", "pz")) for event in (a, b))
        for name in FINAL_PARTICLE.names:
            np.testing.assert_allclose(rows_a[name], rows_b[name], rtol=1e-12, atol=1e-12)


# Events that Herwig drops


@pytest.mark.slow
@pytest.mark.parametrize("dropped", [{0, 3}, {4}])
def test_a_dropped_event_is_none_and_the_others_keep_their_places(stand_in, events, monkeypatch, dropped):
    monkeypatch.setenv("STAND_IN_DROPPED", ",".join(map(str, dropped)))
    made = herwig().simulate(events, SEED)
    assert {index for index, event in enumerate(made) if event is None} == dropped
    assert left_behind(stand_in) == []


@pytest.mark.slow
def test_a_slice_of_which_everything_is_dropped_gives_none_for_each(stand_in, events, monkeypatch):
    monkeypatch.setenv("STAND_IN_DROPPED", "0,1")
    assert herwig().simulate(events[:2], SEED) == [None, None]


def test_the_end_of_the_file_is_a_failure(stand_in, events, monkeypatch):
    monkeypatch.setenv("STAND_IN_DROPPED", "0,1,2")
    with pytest.raises(SliceFailed, match="exit status 1: More events requested than available"):
        herwig().simulate(events[:2], SEED)


# Failures


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("crash", "`Herwig run` ended with exit status 1: Herwig: ThePEG::Exception caught"),
        ("segfault", "`Herwig run` was killed by SIGSEGV"),
        ("short", "the output ends after event 2: 3 events, the slice has 5"),
        ("shuffled", "event 2 of the output is event 1 of the slice out of order or a second time, after event 2"),
        ("duplicated", "event 4 of the output is event 1 of the slice out of order or a second time, after event 3"),
        ("foreign", "event 2 of the output is foreign"),
        ("too many", "event 5 of the output is event 0 of the slice"),
        ("truncated", "truncated or not HepMC"),
        ("damaged", "the output ends after event 1: 2 events, the slice has 5"),
        ("garbage", "truncated or not HepMC"),
        ("empty", "is empty"),
        ("no output", "was not written"),
    ],
)
def test_a_failed_slice_says_what_in_one_line_and_keeps_the_log(stand_in, events, monkeypatch, mode, message):
    monkeypatch.setenv("STAND_IN_MODE", mode)
    instance = herwig()
    with pytest.raises(SliceFailed) as failure:
        instance.simulate(events, SEED)
    said = str(failure.value)
    assert message in said
    assert f"seed {SEED}" in said
    assert "\n" not in said
    (folder,) = left_behind(stand_in)
    assert said.endswith(f"log: {folder / 'herwig.out'}")
    assert (folder / "events.lhe").is_file()
    assert (folder / "herwig.out").is_file()
    monkeypatch.setenv("STAND_IN_MODE", "ok")
    assert len(instance.simulate(events, SEED)) == len(events)  # another try works


def test_another_exception_leaves_nothing_behind(stand_in, events, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    instance = herwig()
    monkeypatch.setattr("resim.shower.herwig.write_lhe", interrupt)
    with pytest.raises(KeyboardInterrupt):
        instance.simulate(events, SEED)
    assert left_behind(stand_in) == []


def test_a_missing_executable_is_no_failed_slice(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"executable Herwig not found on PATH; install Herwig 7\.2") as failure:
        herwig()
    assert not isinstance(failure.value, SliceFailed)


@pytest.mark.parametrize(
    ("version", "message"), [("7.1.6", "7.1.6 is too old; want Herwig 7.2"), ("", "which names no Herwig version")]
)
def test_refuses_other_versions(stand_in, monkeypatch, version, message):
    monkeypatch.setenv("STAND_IN_VERSION", version)
    with pytest.raises(InputError, match=message):
        herwig()


def test_refuses_beams_that_are_not_protons(stand_in):
    with pytest.raises(InputError, match="set up for \\(anti\\)proton beams"):
        Herwig(Beams(11, -11, 45.6, 45.6), ())


def test_a_setting_that_herwig_refuses_is_no_failed_slice(stand_in, events):
    instance = Herwig(BEAMS, ("set /Herwig/Shower/NoSuchThing:Value 1",))
    with pytest.raises(InputError, match=r"refuses its input file.*no object /Herwig/Shower/NoSuchThing") as failure:
        instance.simulate(events, SEED)
    assert not isinstance(failure.value, SliceFailed)
    assert len(left_behind(stand_in)) == 1


def test_an_event_without_a_scale_is_refused(stand_in, events):
    silent = replace(events[1], eventinfo=replace(events[1].eventinfo, scale=0.0))
    with pytest.raises(InputError, match=r"event 1 of the slice: SCALUP is 0\.0"):
        herwig().simulate([events[0], silent], SEED)


# Reading HepMC


# Taus

CHARGE = {11: -1, 12: 0, 13: -1, 14: 0, 16: 0, 111: 0, 211: 1, 221: 0, 311: 0, 321: 1}


@pytest.mark.slow
def test_taus_of_the_hard_process_give_their_products_in_lhe_order(stand_in):
    events = read_slice("tautau", 20)
    for event, lhe in zip(herwig().simulate(events, SEED), events, strict=True):
        taus = [p.id for p in lhe.particles if p.status == 1 and abs(p.id) == 15]
        assert len(event.tau_decays) == len(taus) == 2
        for tau, products in zip(taus, event.tau_decays, strict=True):
            assert list(products) == sorted(products)
            assert sum(math.copysign(CHARGE[abs(i)], i * CHARGE[abs(i)]) for i in products) == -tau / 15
            assert products.count(int(math.copysign(16, tau))) == 1
            for flavour in (11, 13):  # lepton numbers
                assert sum((i > 0) - (i < 0) for i in products if abs(i) in (flavour, flavour + 1)) == 0


# LHE files


# Cards
