"""The detector of cells as a whole: candidates, cells, reproducibility, and through the command line."""

import numpy as np
import pytest
import yaml

from resim.common.errors import InputError
from resim.detector.cells.cell_detector import CellDetector
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY, run_cli
from tests.helpers.delphes_recording import load_recording
from tests.helpers.particles import gun, part

COLUMNS = ("px", "py", "pz", "energy", "charge", "pdg_id", "d0", "dz", "d0_err", "dz_err", "origin")


@pytest.fixture(scope="module")
def generated():
    """Di-jet events of 500 GeV, from a recording."""
    return part(load_recording(REPOSITORY / "tests/data/delphes_qcd.npz").particles, 0, 6)


@pytest.mark.slow
def test_candidates_are_tracks_photons_and_neutral_hadrons_of_the_visible_energy(cocoa, generated):
    found = cocoa.run(generated, np.arange(6))
    kinds = np.where(found.charge != 0, 0, np.where(found.pdg_id == 22, 1, 2))
    for event in range(6):
        inside = kinds[found.offsets[event] : found.offsets[event + 1]]
        assert (np.diff(inside) >= 0).all()
        assert set(inside.tolist()) == {0, 1, 2}
    seen = generated.visible & (np.abs(generated.eta) < 3)
    assert found.pt.sum() / generated.pt[seen].sum() == pytest.approx(0.97, abs=0.08)
    track = found.charge != 0
    event = np.repeat(np.arange(6), np.diff(found.offsets))
    assert np.array_equal(found.pdg_id[track], generated.pdg_id[(generated.offsets[event] + found.origin)[track]])


def test_an_event_depends_on_itself_and_its_seed_alone(coarse, generated):
    whole, alone = coarse.read_out(generated, np.arange(6) + 40), coarse.read_out(part(generated, 2, 3), [42])
    rows = slice(*whole.candidates.offsets[2:4])
    for name in COLUMNS:
        assert np.array_equal(getattr(whole.candidates, name)[rows], getattr(alone.candidates, name)), name
    mine = whole.hits.event == 2
    assert np.array_equal(whole.hits.energy[mine], alone.hits.energy)
    other = coarse.read_out(part(generated, 2, 3), [43])
    assert not np.array_equal(other.hits.energy[:50], alone.hits.energy[:50])


def test_cells_add_up_to_clusters(coarse, generated):
    found = coarse.read_out(generated, np.arange(6))
    assert found.clusters.energy.sum() == pytest.approx(found.hits.energy.sum())
    assert (found.hits.energy > 0).all()
    assert np.array_equal(found.clusters.event[found.hits.cluster], found.hits.event)
    assert found.tracks.eta.shape == (len(found.tracks), 6)


def test_events_without_particles_are_fine(coarse):
    nothing = gun(12, [5.0, 5.0], [0.0, 0.0])
    found = coarse.read_out(nothing, [1, 2])
    assert found.candidates.n_events == 2
    assert len(found.tracks) == 0


def test_no_events_are_fine(coarse):
    """A chunk whose hard scatters are all refused has none."""
    found = coarse.read_out(gun(22, [5.0], [0.0]).events(0, 0), [])
    assert found.candidates.n_events == 0
    assert (len(found.hits), len(found.clusters), len(found.tracks)) == (0, 0, 0)
    assert found.clusters.layer_energy.shape == (0, 6)


def test_wrong_input_is_refused(coarse, tmp_path):
    with pytest.raises(InputError, match="1 detector seeds for 2 events"):
        coarse.run(gun(22, [5.0, 5.0], [0.0, 0.0]), [1])
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        CellDetector.from_card(tmp_path / "none.yaml")


@pytest.mark.slow
def test_cells_of_jets_do_not_depend_on_shards_and_chunks(coarse_card, tmp_path):
    """With `jets: {cells: true}`: whole, or in two shards and chunks of one; every jet has its cells."""
    nominal = {"shower": {"settings": ["PartonLevel:MPI = off"]}}  # fast
    card = {
        "sources": [{"lhe": str(HARD_SCATTERS / "hbb_j.lhe.gz"), "rows": {25: "hbb"}}],
        "select": {"parton_pt_min": 200, "parton_abs_eta_max": 2.0},
        "views": {"nominal": nominal, "redetect": {"from": "nominal", "freeze": "hadronization"}},
        "detector": {"card": str(coarse_card)},
        "jets": {"radius": 0.8, "pt_min": 100, "abs_eta_max": 3.0, "match_delta_r": 0.8, "cells": True},
    }
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(card))
    whole, merged = tmp_path / "whole.h5", tmp_path / "merged.h5"
    assert run_cli("generate", path, "-n", 3, "-o", whole, "--quiet").exit_code == 0
    shards = [tmp_path / f"{number}.h5" for number in (1, 2)]
    for number, shard in enumerate(shards, 1):
        options = ("-n", 3, "--shard", f"{number}/2", "--chunk-size", 1, "--quiet")
        assert run_cli("generate", path, *options, "-o", shard).exit_code == 0
    assert run_cli("merge", *shards, "-o", merged).exit_code == 0
    assert digest(whole) == digest(merged)
    assert violations(merged) == []
    assert "identical in every view" in run_cli("replay", whole, "--row", 1).output
    with PairFile(whole) as file:
        for view in file.view_names:
            assert ((np.diff(file.group_offsets(view, "cells")) > 0) == file.valid(view)).all()
            energy = np.add.reduceat(
                file.group(view, "clusters", "energy"), file.group_offsets(view, "clusters")[:-1]
            )
            assert (energy[file.valid(view)] > 50).all()
    path.write_text(yaml.safe_dump(card | {"detector": "none", "views": {"nominal": {}}}))
    refused = run_cli("generate", path, "-o", tmp_path / "no.h5")
    assert "views.nominal: jets.cells wants a calorimeter card" in str(refused.exception)


@pytest.mark.slow
def test_pair_files_have_views_that_share_particles_and_not_the_noise(coarse_card, tmp_path):
    """`redetect`: the same shower, measured again; a row is made again alone; pile-up has no place here."""
    card = {
        "sources": [{"lhe": str(HARD_SCATTERS / "hbb_j.lhe.gz"), "rows": {25: "hbb"}}],
        "select": {"parton_pt_min": 200, "parton_abs_eta_max": 2.0},
        "views": {"nominal": {}, "redetect": {"from": "nominal", "freeze": "hadronization"}},
        "detector": {"card": str(coarse_card)},
        "jets": {"radius": 0.8, "pt_min": 100, "abs_eta_max": 3.0, "match_delta_r": 0.8},
    }
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(card))
    made = run_cli("generate", path, "-n", 4, "-o", tmp_path / "cells.h5", "--quiet")
    assert made.exit_code == 0, made.output
    with PairFile(tmp_path / "cells.h5") as file:
        pt = [file.jets(view, "pt") for view in ("nominal", "redetect")]
    assert np.nanmax(np.abs(pt[0] / pt[1] - 1)) > 1e-4
    assert np.nanmax(np.abs(pt[0] / pt[1] - 1)) < 0.2
    again = run_cli("replay", tmp_path / "cells.h5", "--row", 0)
    assert "identical in every view" in again.output
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(coarse_card.read_text() + "depth: 3\n")
    path.write_text(yaml.safe_dump(card | {"detector": {"card": str(wrong)}}))
    refused = run_cli("generate", path, "-o", tmp_path / "no.h5")
    assert refused.exit_code == 1
    assert f"{wrong}: unknown key depth" in str(refused.exception)
    assert not (tmp_path / "no.h5").exists()
    card["detector"] = {"card": str(coarse_card), "backend": "delphes"}
    path.write_text(yaml.safe_dump(card))
    refused = run_cli("generate", path, "-o", tmp_path / "no.h5")
    assert refused.exit_code == 1
    assert "a calorimeter card has neither pileup nor backend delphes" in str(refused.exception)
