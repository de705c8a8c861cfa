"""Delphes is not installed here: a stand-in with its command line and file formats takes its place."""

import json
import re
import tempfile
from dataclasses import fields, replace

import numpy as np
import pytest
import yaml

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.detector.delphes_backend import Delphes
from resim.jets.reconstruct_views import detector_for
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.particles import impact_parameters
from resim.run.generate import generate
from resim.run.replay import replay
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY, run_cli
from tests.helpers.delphes_stand_in import complete_events
from tests.helpers.particles import random_particles as particles
from tests.helpers.programs import install_stand_in

CMS = REPOSITORY / "cards/delphes/cms_tracking.tcl"
SINGLE = 2e-6
"""Rounding of a 32-bit number, with room for sinh(eta) of eta < 6."""


@pytest.fixture
def delphes(tmp_path, monkeypatch):
    """Puts the stand-in on PATH; scratch folders are made in `tmp_path / "scratch"`."""
    script = install_stand_in(tmp_path / "bin/DelphesHepMC3", "delphes_stand_in")
    (script.parent / "VERSION").write_text("3.5.1\n")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    monkeypatch.setenv("STAND_IN_CALLS", str(tmp_path / "calls"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    detector_for.cache_clear()
    yield tmp_path
    detector_for.cache_clear()


def calls(folder, what: str) -> list:
    return [json.loads(line)[what] for line in (folder / "calls").read_text().splitlines()]


def columns(some, event: int) -> dict:
    """Columns of an event by what must come back, sorted by pT."""
    rows = slice(*some.offsets[event : event + 2])
    order = np.argsort(np.hypot(some.px[rows], some.py[rows]))
    return {f.name: getattr(some, f.name)[rows][order] for f in fields(some) if f.name != "offsets"}


def test_what_delphes_sees_comes_back_event_by_event(delphes, capfd):
    given = particles([40, 0, 3, 1, 25])
    found = Delphes.from_card(CMS).run(given, [7] * 5)
    assert np.diff(found.offsets).tolist() == [40, 0, 3, 1, 25]
    d0, dz = impact_parameters(given)
    for event in range(5):
        want, got = columns(given, event), columns(found, event)
        track = want["charge"] != 0
        for name in ("px", "py", "pz"):
            assert got[name] == pytest.approx(want[name], rel=SINGLE, abs=1e-5)
        assert got["energy"][track] == pytest.approx(want["energy"][track], rel=SINGLE)
        assert got["mass"][track] == pytest.approx(want["mass"][track], rel=SINGLE)
        assert got["charge"].tolist() == want["charge"].tolist()
        kinds = np.select([track, want["pdg_id"] == 22], [want["pdg_id"], 22], 0)
        assert got["pdg_id"].tolist() == kinds.tolist()
        rows = slice(*given.offsets[event : event + 2])
        order = np.argsort(given.pt[rows])
        for name, exact in (("d0", d0), ("dz", dz)):
            assert got[name] == pytest.approx(np.where(track, exact[rows][order], 0), rel=SINGLE, abs=1e-5)
        assert got["d0_err"] == pytest.approx(np.where(track, 0.01 * np.hypot(want["px"], want["py"]), 0), rel=SINGLE)
        assert got["dz_err"] == pytest.approx(2 * got["d0_err"], rel=SINGLE)
    kinds = np.where(found.charge != 0, 0, np.where(found.pdg_id == 22, 1, 2))
    assert all((np.diff(kinds[a:b]) >= 0).all() for a, b in zip(found.offsets, found.offsets[1:], strict=False))
    assert found.vx**2 + found.vy**2 == pytest.approx(found.d0**2, abs=1e-9)
    assert (found.origin == -1).all()
    assert list((delphes / "scratch").iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_delphes_finds_every_written_event_complete_and_at_full_precision(delphes):
    given = particles([5, 0, 30])
    Delphes.from_card(CMS).run(given, [7, 7, 7])
    [text] = calls(delphes, "hepmc")
    assert complete_events(text) == [1001, 1003]
    finals = [line.split() for line in text.splitlines() if line.startswith("P") and line.endswith(" 1")]
    assert sorted(float(words[4]) for words in finals) == sorted(given.px)
    assert sorted(float(words[8]) for words in finals) == sorted(given.mass)
    places = {tuple(map(float, line.split("@")[1].split())) for line in text.splitlines() if "@" in line}
    displaced = np.stack([given.vx, given.vy, given.vz], axis=1)
    assert places == {(*place, 0.0) for place in displaced.tolist() if any(place)}


@pytest.mark.slow
def test_one_run_for_each_seed_and_the_card_ends_with_it(delphes, monkeypatch):
    monkeypatch.setenv("STAND_IN_MODE", "turns")
    given = particles([4, 5, 6])
    detector = Delphes.from_card(CMS)
    found = detector.run(given, [7, 7, 8])
    cards = calls(delphes, "card")
    assert [re.findall(r"^set (?:RandomSeed|MaxEvents) .*", card, re.MULTILINE) for card in cards] == [
        ["set RandomSeed 7", "set MaxEvents 0"],
        ["set RandomSeed 8", "set MaxEvents 0"],
    ]
    assert all(card.startswith(CMS.read_text()) for card in cards)
    alone = detector.run(given.events(2, 3), [8])
    assert np.array_equal(found.px[found.offsets[2] :], alone.px)
    other = detector.run(given.events(2, 3), [9])
    assert not np.array_equal(other.px, alone.px)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_nothing_needs_no_run(delphes, lengths):
    found = Delphes.from_card(CMS).run(particles(lengths), [7] * len(lengths))
    assert np.diff(found.offsets).tolist() == lengths
    assert not (delphes / "calls").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("fails", r"`DelphesHepMC3 card.tcl` ended with exit status 1: \*\* ERROR: module 'Nonsense'"),
        ("crashes", r"`DelphesHepMC3 card.tcl` was killed by SIGSEGV: "),
        ("no output", "out.root was not written"),
        ("no tree", "out.root is not readable: KeyInFileError"),
        ("no errors", "the output has no EFlowTrack.ErrorD0; want Delphes 3.5, and a card whose TreeWriter"),
        ("short", "the output holds 2 events, 3 were given"),
        ("swapped", "entry 0 of the output is event 1002, want event 1001"),
        ("counts", "entry 0 of the output is event 1, want event 1001"),
        ("nan", r"EFlowTrack.Phi holds numbers that are not finite"),
        ("cut 0", "out.root is not readable"),
        ("cut 0.01", "out.root is not readable"),
        ("cut 0.3", "out.root is not readable"),
        ("cut 0.7", "out.root is not readable"),
        ("cut 0.99", "out.root is not readable"),
    ],
)
def test_a_run_that_fails_is_said_in_one_line_and_its_log_is_kept(delphes, monkeypatch, mode, message):
    monkeypatch.setenv("STAND_IN_MODE", mode)
    with pytest.raises(InputError, match=message) as error:
        Delphes.from_card(CMS).run(particles([20, 30, 20]), [7] * 3)
    text = str(error.value)
    assert text.startswith("Delphes, cms_tracking.tcl, seed 7: ")
    assert "\n" not in text
    [log] = (delphes / "scratch").glob("*/delphes.out")
    assert text.endswith(f"; log: {log}")
    assert "chatter on standard output" in log.read_text()


def test_bad_input_is_refused_before_delphes_runs(delphes, tmp_path):
    given = particles([3])
    detector = Delphes.from_card(CMS)
    for seeds, message in (([0], "seed 0 of Delphes"), ([2**31], "seed 2147483648"), ([1, 2], "2 detector seeds")):
        with pytest.raises(InputError, match=message):
            detector.run(given, seeds)
    with pytest.raises(InputError, match=r"event 0, particle 0 .* want finite values"):
        detector.run(replace(given, px=given.px * np.nan), [7])
    (tmp_path / "card.tcl").write_text("  source other.tcl\n")
    with pytest.raises(InputError, match=r"card\.tcl: reads other\.tcl, which no hash would record"):
        Delphes.from_card(tmp_path / "card.tcl")
    (tmp_path / "card.tcl").write_text(
        "module PileUpMerger PileUpMerger {\n  set PileUpFile /data/MinBias.pileup\n}\n"
    )
    with pytest.raises(InputError, match=r"card\.tcl: reads /data/MinBias\.pileup, which .* leave pile-up to"):
        Delphes.from_card(tmp_path / "card.tcl")
    with pytest.raises(InputError, match=r"none\.tcl: cannot be read"):
        Delphes.from_card(tmp_path / "none.tcl")
    assert not (delphes / "calls").exists()


def test_version_of_the_installation(delphes):
    assert Delphes.from_card(CMS).version == "3.5.1"
    (delphes / "bin/VERSION").unlink()
    assert Delphes.from_card(CMS).version == "unknown"


# In the chain


def write_card(folder, detector=CMS, backend="delphes", **more):
    views = {
        "generated": {"shower": {"card": str(REPOSITORY / "cards/pythia/monash.cmnd")}},
        "reco": {
            "from": "generated",
            "freeze": "hadronization",
            "detector": {"card": str(detector), "backend": backend},
        },
        **more,
    }
    source = {"lhe": str(HARD_SCATTERS / "qcd_jj.lhe.gz"), "rows": {21: "g", 1: "q", 2: "q"}}
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump({"sources": [source], "views": views, "select": {"parton_pt_min": 250}}))
    return path


@pytest.mark.slow
def test_a_chain_with_delphes_has_its_jets_whatever_the_chunks(delphes, monkeypatch):
    monkeypatch.setenv("STAND_IN_MODE", "turns")
    monkeypatch.setattr("resim.card.view_plan.SLICE_EVENTS", 4)
    card, output = write_card(delphes), delphes / "pairs.h5"
    provenance = generate(card, output, RunOptions(n_events=6, chunk_size=3, quiet=True))
    generate(card, delphes / "other.h5", RunOptions(n_events=6, chunk_size=8, quiet=True))
    assert digest(output) == digest(delphes / "other.h5")
    assert provenance.versions["delphes"] == "3.5.1"
    assert violations(output) == []
    assert replay(output, 9).differing == ()
    with PairFile(output) as file:
        assert file.views[1].settings["detector"]["backend"] == "delphes"
        seeds = file.read("views/reco/seeds/detector")
        slices = file.hard_scatter("event") // 4
        assert len(set(zip(slices.tolist(), seeds.tolist(), strict=True))) == len(set(seeds.tolist())) == 2


@pytest.mark.slow
def test_without_smearing_reconstructed_jets_are_the_generated_ones(delphes):
    output = delphes / "pairs.h5"
    redetect = {"from": "reco", "freeze": "hadronization"}
    generate(write_card(delphes, redetect=redetect), output, RunOptions(n_events=6, quiet=True))
    with PairFile(output) as file:
        both = file.valid("generated") & file.valid("reco")
        assert both.sum() >= 4
        # Neutral hadrons come back without mass, which moves them in rapidity: some at the edge change the jet.
        assert file.jets("reco", "pt")[both] == pytest.approx(file.jets("generated", "pt")[both], rel=0.02)
        assert file.jets("reco", "phi")[both] == pytest.approx(file.jets("generated", "phi")[both], abs=0.02)
        assert np.array_equal(file.jets("reco", "pt"), file.jets("redetect", "pt"), equal_nan=True)
        seeds = [file.read(f"views/{view}/seeds/detector") for view in ("reco", "redetect")]
        assert (seeds[0] != seeds[1]).all()


def test_without_delphes_the_remedy_is_said_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    detector_for.cache_clear()
    result = run_cli("generate", write_card(tmp_path), "-o", tmp_path / "pairs.h5", "--quiet")
    assert isinstance(result.exception, InputError)
    assert "executable DelphesHepMC3 not found on PATH; install Delphes 3.5" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["card.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("set ExecutionPath { A }\n", "ExecutionPath names 'A', which the card does not define"),
        ("set ExecutionPath {\n", r"card\.tcl:?\d*: Tcl: missing close-brace"),
    ],
)
def test_a_wrong_detector_card_is_said_before_any_work(tmp_path, monkeypatch, text, message):
    monkeypatch.setattr("resim.run.execution.make", lambda *_: pytest.fail("work was begun"))
    (tmp_path / "card.tcl").write_text(text)
    card = write_card(tmp_path, tmp_path / "card.tcl", "resim")
    with pytest.raises(InputError, match=message):
        generate(card, tmp_path / "pairs.h5", RunOptions(n_events=2, quiet=True))
    assert not list(tmp_path.glob("pairs.h5*"))


def test_branches_of_the_particle_flow_are_added_to_a_card_without_them(delphes, tmp_path, caplog):
    """As the embedded Tcl of Delphes does, the lines append to the parameter of the TreeWriter."""
    lines = [line for line in CMS.read_text().splitlines() if "EFlowPhoton" not in line]
    (tmp_path / "card.tcl").write_text("\n".join(lines))
    text = Delphes.from_card(tmp_path / "card.tcl").text
    assert text.endswith("namespace eval TreeWriter { lappend Branch ECal/eflowPhotons EFlowPhoton Tower }\n")
    assert "resim adds the branches ECal/eflowPhotons EFlowPhoton Tower" in caplog.text
    assert Delphes.from_card(CMS).text == CMS.read_text()
