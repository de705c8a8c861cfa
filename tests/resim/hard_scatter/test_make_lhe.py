"""`resim hard-scatter` with Pythia's own processes."""

import gzip
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pylhe
import pytest
import pythia8mc

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import Beams, event_blocks, parse_event, survey
from resim.hard_scatter.lhe_text import open_lhe
from resim.hard_scatter.make_lhe import HardScatterOptions, make_hard_scatters
from resim.hard_scatter.partons import ancestors_of, mothers_of
from resim.pairfile.reader import PairFile
from resim.run.generate import generate
from tests.helpers.chain import REPOSITORY, run_cli

CARDS = REPOSITORY / "cards/process"
MODELS = {"a": 20.0, "b": 2.0, "c": 20.0, "d": 2.0}
"""Mass of the dark quarks in GeV."""


def make(name, output, n_events=20, **options):
    return make_hard_scatters(
        CARDS / f"{name}.yaml", output, HardScatterOptions(n_events=n_events, quiet=True, **options)
    )


def events_of(path):
    return [parse_event(block, path, index) for index, block in event_blocks(path)]


def cross_sections(path) -> dict[int, float]:
    """Process code -> cross section in pb, from the init block."""
    with open_lhe(path) as stream:
        init = stream.read().decode().split("<init>\n")[1].split("<generator")[0]
    beams, *processes = init.splitlines()
    info = pylhe.LHEInitInfo.fromstring(beams)
    assert (info.weightingStrategy, info.numProcesses) == (4, len(processes))
    return {process.procId: process.xSection for process in map(pylhe.LHEProcInfo.fromstring, processes)}


def card_with(tmp_path, text) -> Path:
    path = tmp_path / "card.yaml"
    path.write_text(text)
    return path


def test_the_file_holds_pythias_process_record_to_the_last_digit(tmp_path):
    path = tmp_path / "qcd.lhe.gz"
    found = make("qcd_jj", path, seed=11)
    pythia = pythia8mc.Pythia("", False)
    own = (
        "Print:quiet = on",
        "Beams:eCM = 13000.",
        "PartonLevel:all = off",
        "Random:setSeed = on",
        "Random:seed = 11",
    )
    for line in (*own, "HardQCD:all = on", "PhaseSpace:pTHatMin = 300"):
        assert pythia.readString(line)
    assert pythia.init()
    assert (found.n_events, found.beams) == (20, Beams(2212, 2212, 6500.0, 6500.0))
    for event in events_of(path):
        assert pythia.next()
        ours = [(p.id, p.status, p.mother1, p.mother2, p.color1, p.color2) for p in event.particles]
        record = [pythia.process[i] for i in range(3, pythia.process.size())]
        mothers = [(0, 0), (0, 0), (1, 2), (1, 2)]
        statuses = [-1, -1, 1, 1]
        assert ours == [
            (p.id(), status, *mother, p.col(), p.acol())
            for p, status, mother in zip(record, statuses, mothers, strict=True)
        ]
        momenta = [(p.px(), p.py(), p.pz(), p.e(), p.m()) for p in record]
        assert [(p.px, p.py, p.pz, p.e, p.m) for p in event.particles] == momenta
        info = pythia.infoPython()
        assert (event.eventinfo.pid, event.eventinfo.scale) == (info.code(), info.QFac())
        assert (event.eventinfo.aqed, event.eventinfo.aqcd) == (info.alphaEM(), info.alphaS())


def test_the_mean_weight_is_the_cross_section_of_the_init_block(tmp_path):
    path = tmp_path / "qcd.lhe.gz"
    make("qcd_jj", path, n_events=500)
    processes = cross_sections(path)
    events = events_of(path)
    assert {event.eventinfo.pid for event in events} == set(processes)
    total = sum(processes.values())
    assert np.mean([event.eventinfo.weight for event in events]) == pytest.approx(total, rel=1e-6)
    assert total == pytest.approx(8800, rel=0.1)  # pb; Pythia's own estimate over 500 events has an error of 2 %
    shares = np.array([[event.eventinfo.pid == code for event in events] for code in processes]).mean(axis=1)
    sigmas = np.array(list(processes.values()))
    assert shares == pytest.approx(sigmas / total, abs=0.1)


def test_weighted_events_keep_their_weights(tmp_path):
    text = (CARDS / "qcd_jj.yaml").read_text()
    biased = text.replace("settings:", "settings:\n  - PhaseSpace:bias2Selection = on")
    path = tmp_path / "biased.lhe"
    make("qcd_jj", tmp_path / "plain.lhe", n_events=300)
    plain = [np.hypot(event.particles[2].px, event.particles[2].py) for event in events_of(tmp_path / "plain.lhe")]
    make_hard_scatters(card_with(tmp_path, biased), path, HardScatterOptions(n_events=300, quiet=True))
    events = events_of(path)
    weight = np.array([event.eventinfo.weight for event in events])
    pt = np.array([np.hypot(event.particles[2].px, event.particles[2].py) for event in events])
    assert np.median(pt) > 1.2 * np.median(plain)  # the bias is pT^4
    assert weight * pt**4 == pytest.approx(np.full(300, (weight * pt**4)[0]), rel=1e-3)  # pT before masses
    assert weight.mean() == pytest.approx(sum(cross_sections(path).values()), rel=1e-6)


def test_equal_card_and_seed_give_equal_bytes(tmp_path):
    a, b, c = (tmp_path / f"{name}.lhe.gz" for name in "abc")
    make("hbb_j", a, seed=5)
    make("hbb_j", b, seed=5)
    make("hbb_j", c, seed=6)
    assert a.read_bytes() == b.read_bytes()
    assert [e.particles[0].e for e in events_of(a)] != [e.particles[0].e for e in events_of(c)]


def test_the_header_says_how_it_was_made_and_where_is_nobodys_business(tmp_path):
    path = tmp_path / "h.lhe"
    make("hbb_j", path, seed=900_000_000)
    header = path.read_text().split("<init>")[0]
    for word in (
        f"pythia8mc {version('pythia8mc')}",
        "# seed: 900000000",
        "# events: 20",
        "# setting: 25:onIfMatch = 5",
    ):
        assert word in header
    assert "/" not in header.replace("</header>", "")
    assert survey(path).generator == f"Pythia {version('pythia8mc')}"


@pytest.mark.parametrize(
    ("name", "intermediate", "outgoing"),
    [
        ("hbb_j", {25}, {5}),
        ("zprime_qq", {32}, {1, 2, 3}),
        ("wprime_wz", {34}, {23, 24}),
        ("wprime_www", {34}, {24, 35}),
        ("darkjets_a", {4900023}, {4900101}),
    ],
)
def test_decays_belong_to_their_resonance(tmp_path, name, intermediate, outgoing):
    path = tmp_path / "made.lhe"
    make(name, path)
    for event in events_of(path):
        resonance = event.particles[2]
        assert (resonance.status, abs(resonance.id)) == (2, *intermediate)
        products = [p for p in event.particles if p.mother1 == 3]
        assert {abs(p.id) for p in products} <= outgoing
        for component in ("px", "py", "pz", "e"):
            total = sum(getattr(p, component) for p in products)
            assert total == pytest.approx(getattr(resonance, component), abs=1e-6)


def test_a_scalar_of_the_cascade_decays_to_two_w(tmp_path):
    """And every W to quarks; a width that the process would compute for Higgs bosons and W' is not used."""
    path = tmp_path / "made.lhe"
    make("wprime_www", path)
    for event in events_of(path):
        scalar = next(place for place, p in enumerate(event.particles, 1) if p.id == 35)
        assert {p.id for p in event.particles if p.mother1 == scalar} == {24, -24}
        assert sum(abs(p.id) == 24 for p in event.particles) == 3
        assert {abs(p.id) for p in event.particles if p.status == 1} <= {1, 2, 3, 4, 5}
        assert event.particles[scalar - 1].m == pytest.approx(200, abs=60)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_dark_jets_can_be_showered_and_found_again(tmp_path, model):
    lhe = tmp_path / "dark.lhe.gz"
    make(f"darkjets_{model}", lhe, n_events=8)
    masses = [p.m for event in events_of(lhe) for p in event.particles if abs(p.id) == 4900101]
    assert masses == pytest.approx([MODELS[model]] * 16)
    cmnd = REPOSITORY / f"cards/pythia/darkjets_{model}.cmnd"
    assert f"4900101:m0 = {MODELS[model]:g}\n" in cmnd.read_text()
    card = card_with(
        tmp_path,
        f"sources:\n  - {{lhe: {lhe}, rows: {{4900101: dark_{model}}}}}\n"
        f"select: {{parton_pt_min: 100}}\nviews:\n  nominal: {{shower: {{card: {cmnd}}}}}\n"
        "  seed: {from: nominal, freeze: hard_scatter}\n  rehadron: {from: nominal, freeze: parton_shower}\n",
    )
    output = tmp_path / "pairs.h5"
    generate(card, output, RunOptions(quiet=True))
    with PairFile(output) as pairs:
        assert pairs.labels == [f"dark_{model}"]
        assert len(pairs.read("hard_scatter/label", slice(None))) >= 8
        for view in pairs.view_names:
            valid = pairs.read(f"views/{view}/valid", slice(None))
            assert valid.mean() > 0.5  # pT of the Z' decay of 1.5 TeV, jets above 200 GeV
            ids = pairs.read(f"views/{view}/constituents/pdg_id", slice(None))
            assert np.abs(ids).max() < 4900000  # all dark hadrons have decayed
    assert PARTICLES_OF_THE_MODEL[model] <= set(np.abs(ids))


PARTICLES_OF_THE_MODEL = {"a": {211, 321}, "b": {321}, "c": {11, 13, 211}, "d": {11, 13, 211}}
"""Stable visible particles that the decays of the dark pions give: charm, strange, dark photons."""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("settings: ['HardQCD:al = on']\n", "Pythia refuses the setting 'HardQCD:al = on'"),
        ("settings: ['HardQCD:all = off']\n", "Pythia makes no process of .'HardQCD:all = off'.; switch one on"),
        (
            "settings: ['HardQCD:all = on', 'PhaseSpace:pTHatMin = 50']\nrequire: [{pdg_ids: [21], pt_min: 500}]\n",
            "event 0: particle 21 has pT .*, so the cut did not act",
        ),
        (
            "settings: ['WeakSingleBoson:ffbar2gmZ = on', 'PhaseSpace:pTHatMin = 300']\n"
            "require: [{pdg_ids: [23], pt_min: 300}]\n",
            "particle 23 has pT 0 GeV, required are at least 300.0 GeV",  # pTHatMin does nothing for 2 -> 1
        ),
        (
            "settings: ['HardQCD:all = on']\nrequire: [{pdg_ids: [25]}]\n",
            r"no event holds a particle of .PDG id. \[25\]",
        ),
    ],
)
def test_bad_input_leaves_nothing(tmp_path, capfd, text, message):
    card = card_with(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        make_hard_scatters(card, tmp_path / "made.lhe", HardScatterOptions(n_events=5, quiet=True))
    assert str(caught.value).startswith(f"{card}: ")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["card.yaml"]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "{tmp}/made.txt"], "want a name that ends in .lhe or .lhe.gz"),
        (["-o", "{tmp}/no/made.lhe"], "the folder .* does not exist"),
        (["-o", "{tmp}/made.lhe", "--seed", 0], "--seed 0: must be in 1 ... 900000000"),
        (["-o", "{tmp}/made.lhe", "--seed", 900_000_001], "--seed 900000001: must be in"),
        (["-o", "{tmp}/made.lhe", "-n", 0], "--n-events 0: must be at least 1"),
    ],
)
def test_bad_options(tmp_path, arguments, message):
    command = [str(argument).format(tmp=tmp_path) for argument in arguments]
    result = run_cli("hard-scatter", CARDS / "qcd_jj.yaml", *command)
    assert isinstance(result.exception, InputError)
    with pytest.raises(InputError, match=message):
        raise result.exception
    assert not list(tmp_path.iterdir())


def test_help_is_there():
    assert "process CARD" in run_cli("hard-scatter", "--help").output


def test_the_command_says_what_it_made(tmp_path):
    output = tmp_path / "made.lhe.gz"
    command = ("hard-scatter", CARDS / "zprime_qq.yaml", "-o", output, "-n", 120, "--seed", 3)
    assert run_cli(*command, "--quiet").output == f"{output}: 120 events of Pythia {version('pythia8mc')}\n"
    assert "exists already" in str(run_cli(*command).exception)
    before = gzip.decompress(output.read_bytes())
    assert run_cli(*command, "--force").exit_code == 0
    assert gzip.decompress(output.read_bytes()) == before


def test_the_number_of_events_may_stand_in_the_card(tmp_path):
    card = card_with(tmp_path, "settings: ['HardQCD:all = on']\nn_events: 7\n")
    assert make_hard_scatters(card, tmp_path / "made.lhe", HardScatterOptions(quiet=True)).n_events == 7


def family(event, i):
    """|PDG id|s of what an entry of an event decays to in the end, sorted."""
    ancestors = ancestors_of(mothers_of(event))
    return sorted(abs(p.id) for j, p in enumerate(event.particles) if p.status == 1 and i in ancestors[j])


LIGHT = {1, 2, 3, 4, 5}
JETCLASS = {
    "hbb": (25, lambda ids: ids == [5, 5]),
    "hcc": (25, lambda ids: ids == [4, 4]),
    "hgg": (25, lambda ids: ids == [21, 21]),
    "h4q": (25, lambda ids: len(ids) == 4 and set(ids) <= LIGHT),
    "hqql_plus": (25, lambda ids: len(ids) == 4 and set(ids[:2]) <= LIGHT and ids[2:] in ([11, 12], [13, 14])),
    "hqql_minus": (25, lambda ids: len(ids) == 4 and set(ids[:2]) <= LIGHT and ids[2:] in ([11, 12], [13, 14])),
    "tbqq": (6, lambda ids: len(ids) == 3 and 5 in ids and set(ids) <= LIGHT),
    "tbl": (6, lambda ids: ids in ([5, 11, 12], [5, 13, 14])),
    "wqq": (24, lambda ids: len(ids) == 2 and set(ids) <= LIGHT),
    "zqq": (23, lambda ids: len(ids) == 2 and ids[0] == ids[1] and ids[0] in LIGHT),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", JETCLASS)
def test_resonances_of_jetclass_decay_as_its_classes_say(tmp_path, name):
    make(f"jetclass_{name}", tmp_path / "x.lhe", n_events=10)
    pdg_id, wanted = JETCLASS[name]
    found = [
        (event, i)
        for event in events_of(tmp_path / "x.lhe")
        for i, p in enumerate(event.particles)
        if abs(p.id) == pdg_id
    ]
    assert len(found) >= 10
    assert all(wanted(family(event, i)) for event, i in found)
    if name.startswith("hqql"):
        signs = {-1 if p.id > 0 else 1 for event, _ in found for p in event.particles if abs(p.id) in (11, 13)}
        assert signs == {1 if name == "hqql_plus" else -1}
