"""Herwig 7 is not installed here: a stand-in with its command line and file formats takes its place."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyhepmc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.card.herwig_settings import input_file, read_herwig_card
from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import Beams, event_blocks, parse_event, survey
from resim.hard_scatter.lhe_writing import write_lhe
from resim.shower.event_record import FINAL_PARTICLE
from resim.shower.hepmc import final_particles, in_order, read_events
from resim.shower.herwig import SEED_MAX, Herwig, SliceFailed
from resim.shower.tau import decay_products
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY

CARD = REPOSITORY / "cards/herwig/default.in"
BEAMS = Beams(2212, 2212, 6500.0, 6500.0)
SEED = 12345


def read_slice(name: str, n_events: int):
    path = HARD_SCATTERS / f"{name}.lhe.gz"
    return [parse_event(block, path, index) for index, block in event_blocks(path, n_events)]


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


def test_both_hepmc_formats_give_the_same_particles(stand_in, events, monkeypatch):
    first = herwig().simulate(events, SEED)
    monkeypatch.setenv("STAND_IN_FORMAT", "GenEventHepMC3")
    for a, b in zip(herwig().simulate(events, SEED), first, strict=True):
        rows_a, rows_b = (np.sort(event.particles, order=("pdg_id", "pz")) for event in (a, b))
        for name in FINAL_PARTICLE.names:
            np.testing.assert_allclose(rows_a[name], rows_b[name], rtol=1e-12, atol=1e-12)


# Events that Herwig drops


@pytest.mark.parametrize("dropped", [{0, 3}, {4}])
def test_a_dropped_event_is_none_and_the_others_keep_their_places(stand_in, events, monkeypatch, dropped):
    monkeypatch.setenv("STAND_IN_DROPPED", ",".join(map(str, dropped)))
    made = herwig().simulate(events, SEED)
    assert {index for index, event in enumerate(made) if event is None} == dropped
    assert left_behind(stand_in) == []


def test_a_slice_of_which_everything_is_dropped_gives_none_for_each(stand_in, events, monkeypatch):
    monkeypatch.setenv("STAND_IN_DROPPED", "0,1")
    assert herwig().simulate(events[:2], SEED) == [None, None]


def test_the_end_of_the_file_is_a_failure(stand_in, events, monkeypatch):
    monkeypatch.setenv("STAND_IN_DROPPED", "0,1,2")
    with pytest.raises(SliceFailed, match="exit status 1: More events requested than available"):
        herwig().simulate(events[:2], SEED)


# Failures


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


# Taus

CHARGE = {11: -1, 12: 0, 13: -1, 14: 0, 16: 0, 111: 0, 211: 1, 221: 0, 311: 0, 321: 1}


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


# LHE files


@pytest.mark.parametrize("name", ["qcd_jj", "hbb_j", "top", "tautau", "wqq_z"])
def test_written_events_are_read_back_digit_by_digit(tmp_path, name):
    events, path = read_slice(name, 10), tmp_path / "events.lhe"
    write_lhe(path, BEAMS, events)
    found = survey(path)
    assert (found.n_events, found.beams) == (10, BEAMS)
    assert path.read_text().splitlines()[0].startswith("<LesHouchesEvents version")  # ThePEG looks nowhere else
    for (index, block), event in zip(event_blocks(path), events, strict=True):
        again = parse_event(block, path, index)
        assert again.particles == event.particles
        assert again.eventinfo == replace(event.eventinfo, weight=1.0, pid=1)


# Cards


def test_the_card_comes_between_the_lines_of_the_code():
    settings = read_herwig_card(CARD)
    assert "set /Herwig/Decays/DecayHandler:MaxLifeTime 10*mm" in settings
    lines = input_file(settings).splitlines()
    first = lines.index(settings[0])
    assert tuple(lines[first : first + len(settings)]) == settings
    assert lines[-1] == "saverun resim EventGenerator"


def test_a_card_may_set_physics(tmp_path):
    card = tmp_path / "tune.in"
    lines = (
        "cd /Herwig/Shower",
        "create Herwig::ShowerAlphaQCD AlphaQCD2",
        "set AlphaQCD:AlphaIn 0.118",
        "set /Herwig/UnderlyingEvent/MPIHandler:pTmin0 3.04",
        "read snippets/SoftTune.in",
        "do /Herwig/Particles/tau-:SelectDecayModes tau-->nu_tau,pi-;",
    )
    card.write_text("# a comment\n\n" + "\n".join(f"{line}  # why" for line in lines))
    assert read_herwig_card(card) == lines


@pytest.mark.parametrize(
    "line",
    [
        "set /Herwig/Generators/EventGenerator:NumberOfEvents 5",
        "set /Herwig/Generators/EventGenerator:RandomNumberGenerator:Seed 5",
        "set /Herwig/Random:Seed 5",
        "cd /Herwig/Generators",
        "cd /Herwig/Shower/../Generators",
        "set /Herwig/EventHandlers/EventHandler:CascadeHandler NULL",
        "set /Herwig/EventHandlers/Luminosity:Energy 14000.0",
        "set LHEReader:FileName other.lhe",
        "set /Herwig/Cuts/NoCuts:X1Min 0.1",
        "insert /Herwig/Generators/EventGenerator:AnalysisHandlers 0 /Herwig/Analysis/HepMCFile",
        "create ThePEG::RivetAnalysis /Herwig/Shower/Mine RivetAnalysis.so",
        "read snippets/HepMC.in",
        "read snippets/PPCollider.in",
        "read snippets/LHE-FxFx.in",
        "read snippets/YFS.in",
        "read ../mine.in",
        "saverun mine EventGenerator",
        "run mine EventGenerator",
        "library HwFxFx.so",
    ],
)
def test_a_card_may_not_touch_what_belongs_to_the_code(tmp_path, line):
    card = tmp_path / "mine.in"
    card.write_text(f"# comment\nset /Herwig/Shower/ShowerHandler:MaxPtIsMuF Yes\n{line}\n")
    with pytest.raises(InputError, match=r"mine\.in:3: .*cards set physics only, remove it"):
        read_herwig_card(card)


def test_names_are_relative_to_cd(tmp_path):
    card = tmp_path / "mine.in"
    lines = ("cd /Herwig", "set Shower/PartnerFinder:PartnerMethod Random", "set Random:Size 10")
    card.write_text("\n".join(lines[:2]))
    assert read_herwig_card(card) == lines[:2]
    card.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"mine\.in:3: .*touches /Herwig/Random"):
        read_herwig_card(card)


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.in: cannot be read"):
        read_herwig_card(tmp_path / "none.in")
