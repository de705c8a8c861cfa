"""COCOA is not installed here: a stand-in with its command line and file format takes its place."""

import json
import tempfile
from dataclasses import replace

import numpy as np
import pytest
import yaml

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.detector.cells.cocoa_backend import Cocoa
from resim.jets.reconstruct_views import detector_for
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.run.generate import generate
from resim.run.replay import replay
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY, run_cli
from tests.helpers.particles import random_particles
from tests.helpers.programs import install_stand_in

CARD = REPOSITORY / "cards/calorimeter/cocoa.yaml"


@pytest.fixture
def cocoa(tmp_path, monkeypatch):
    """Puts the stand-in on PATH; scratch folders are made in `tmp_path / "scratch"`."""
    script = install_stand_in(tmp_path / "COCOA/build/COCOA", "cocoa_stand_in")
    for name in ("tracking_configuration", "pflow_configuration"):
        (tmp_path / "COCOA" / name).mkdir()
        (tmp_path / "COCOA" / name / "table.csv").write_text("1,2\n")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    monkeypatch.setenv("STAND_IN_CALLS", str(tmp_path / "calls"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    detector_for.cache_clear()
    yield tmp_path
    detector_for.cache_clear()


def calls(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


@pytest.mark.slow
def test_one_run_for_each_seed(cocoa):
    """Events keep their places and their clusters, whatever is between them; neutrinos and particles from behind the
    calorimeter's surface are not handed over."""
    given = random_particles([15, 0, 8, 9])
    far = np.zeros(len(given.px), bool)
    far[16] = True
    given = replace(given, vx=np.where(far, 1600.0, given.vx))
    far[24] = True  # behind the endcap, which begins at 1500 mm sinh 1.5
    given = replace(given, vz=np.where(np.arange(len(far)) == 24, -3200.0, given.vz))
    found = Cocoa.from_card(CARD).read_out(given, [7, 7, 7, 9])
    assert [(call["seed"], call["n"]) for call in calls(cocoa)] == [("7", "2"), ("9", "1")]
    assert all(call["tables"] == ["pflow_configuration", "tracking_configuration"] for call in calls(cocoa))
    assert calls(cocoa)[0]["config"] == yaml.safe_load(CARD.read_text())["cocoa"]
    seen = (np.abs(given.eta) < 3) & ~far
    events = np.repeat(np.arange(4), np.diff(given.offsets))
    assert np.bincount(found.hits.event, minlength=4).tolist() == np.bincount(events[seen], minlength=4).tolist()
    assert sorted(found.hits.cluster) == list(range(len(found.hits)))
    assert len(found.clusters) == len(found.hits)
    assert found.hits.energy.sum() == pytest.approx(
        sum(
            given.energy[seen & (events == i)].sum() * (1 + 0.01 * np.sin(seed))
            for i, seed in ((0, 7), (2, 7), (3, 9))
        )
    )
    tracks = found.tracks.objects
    assert tracks.pt == pytest.approx(given.pt[given.offsets[tracks.event] + tracks.item], rel=1e-5)
    charged = found.candidates.charge != 0
    assert charged.sum() == len(tracks) == (seen & (given.charge != 0)).sum()
    assert (found.candidates.origin[charged] >= 0).all()
    assert list((cocoa / "scratch").iterdir()) == []


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]])
def test_nothing_needs_no_run(cocoa, lengths):
    found = Cocoa.from_card(CARD).run(random_particles(lengths), [7] * len(lengths))
    assert np.diff(found.offsets).tolist() == lengths
    assert not (cocoa / "calls").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("fails", "`COCOA --macro` ended with exit status 1: Error!!! There is no ./tracking_configuration/d0_"),
        ("crashes", "`COCOA --macro` was killed by SIGSEGV: "),
    ],
)
def test_a_run_that_fails_is_said_in_one_line_and_its_log_is_kept(cocoa, monkeypatch, mode, message):
    monkeypatch.setenv("STAND_IN_MODE", mode)
    with pytest.raises(InputError, match=message) as error:
        Cocoa.from_card(CARD).run(random_particles([3, 3]), [7, 7])
    [log] = (cocoa / "scratch").glob("*/cocoa.out")
    assert str(error.value).startswith("COCOA, cocoa.yaml, seed 7: ")
    assert str(error.value).endswith(f"; log: {log}")
    assert "\n" not in str(error.value)


def test_bad_input_is_refused_before_cocoa_runs(cocoa, tmp_path):
    given = random_particles([3])
    detector = Cocoa.from_card(CARD)
    for seeds, message in (([0], "seed 0 of COCOA"), ([2**31], "seed 2147483648"), ([1, 2], "2 detector seeds")):
        with pytest.raises(InputError, match=message):
            detector.run(given, seeds)
    card = yaml.safe_load(CARD.read_text())
    del card["cocoa"]
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(InputError, match=r"card\.yaml: has no section cocoa, which backend cocoa hands over"):
        Cocoa.from_card(tmp_path / "card.yaml")
    assert not (cocoa / "calls").exists()


def test_the_version_is_that_of_the_tables(cocoa):
    version = Cocoa.from_card(CARD).version
    (cocoa / "COCOA/tracking_configuration/table.csv").write_text("1,3\n")
    other = Cocoa.from_card(CARD).version
    assert version.startswith("tables ")
    assert version != other
    for name in ("tracking_configuration", "pflow_configuration"):
        (cocoa / "COCOA" / name).rename(cocoa / name)
    assert Cocoa.from_card(CARD).version == "unknown"


# In the chain


def write_card(folder, detector=CARD):
    views = {
        "generated": {"shower": {"card": str(REPOSITORY / "cards/pythia/monash.cmnd")}},
    }
    source = {"lhe": str(HARD_SCATTERS / "qcd_jj.lhe.gz"), "rows": {21: "g", 1: "q", 2: "q"}}
    content = {
        "sources": [source],
        "views": views,
        "select": {"parton_pt_min": 250},
        "detector": {"card": str(detector), "backend": "cocoa"},
        "jets": {"cells": True},
    }
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.slow
def test_a_chain_with_cocoa_has_its_cells_and_can_be_replayed(cocoa, monkeypatch):
    monkeypatch.setattr("resim.card.view_plan.SLICE_EVENTS", 2)
    card, output = write_card(cocoa), cocoa / "pairs.h5"
    provenance = generate(card, output, RunOptions(n_events=4, chunk_size=2, quiet=True))
    assert provenance.versions["cocoa"].startswith("tables ")
    assert violations(output) == []
    assert replay(output, 0).differing == ()
    with PairFile(output) as file:
        assert file.views[0].settings["detector"]["backend"] == "cocoa"
        assert len(file.group("generated", "cells", "energy")) > 20
        seeds = file.read("views/generated/seeds/detector")
        assert len(set(zip((file.hard_scatter("event") // 2).tolist(), seeds.tolist(), strict=True))) == 2


def test_without_cocoa_the_remedy_is_said_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    detector_for.cache_clear()
    result = run_cli("generate", write_card(tmp_path), "-o", tmp_path / "pairs.h5", "--quiet")
    assert isinstance(result.exception, InputError)
    assert "executable COCOA not found on PATH; build COCOA" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["card.yaml"]
