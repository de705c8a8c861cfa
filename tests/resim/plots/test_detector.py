from pathlib import Path

import numpy as np
import pytest

from benchmarks import delphes_plots as delphes
from resim.detector import Detector
from resim.plots import detector as plots
from tests.helpers.chain import run_cli
from tests.helpers.pictures import empty_panels

ROOT = Path(__file__).parents[3]
CARDS = ROOT / "cards/delphes"


def test_curves_are_those_of_the_card():
    detector = Detector.from_card(CARDS / "cms_tracking.tcl")
    muon = plots.shoot(detector, plots.TRACKS[2], np.array([0.05, 10.0, 100.0]), (0.6, 0.8))
    assert muon.efficiency == pytest.approx([0, 0.99, 0.99], abs=0.015)
    assert np.isnan(muon.mean[0])
    assert muon.mean[1:] == pytest.approx([1, 1], abs=0.003)
    assert muon.spread[2] == pytest.approx(np.hypot(0.015, 0.015), rel=0.1)
    assert muon.d0_error[1:] == pytest.approx([0.0191, 0.0104], rel=1e-6)  # DELPHES_PILEUP, section 5
    photon = plots.shoot(detector, plots.NEUTRALS[0], np.array([100.0]), (0.6, 0.8))
    assert photon.mean == pytest.approx([1], abs=0.005)
    sigma = (1 + 0.64 * 0.7**2) * np.sqrt((0.008 * 100) ** 2 + 0.11**2 * 100 + 0.40**2) / 100
    assert photon.spread == pytest.approx([sigma], rel=0.1)


def test_a_card_without_track_parameters_has_no_errors_of_them():
    muon = plots.shoot(Detector.from_card(CARDS / "cms.tcl"), plots.TRACKS[2], np.array([10.0]), (0.6, 0.8))
    assert (muon.d0_error, muon.dz_error) == (0, 0)


@pytest.mark.slow
def test_pictures_of_a_card(tmp_path, monkeypatch, saved):
    monkeypatch.setattr(plots, "_SHOTS", 30)
    pictures = plots.plot_detector(CARDS / "cms_tracking.tcl", tmp_path / "new")
    assert [p.name for p in pictures] == [
        "detector_tracks.png",
        "detector_calorimeters.png",
        "detector_impact_parameters.png",
    ]
    assert len(saved) == len(pictures)
    assert empty_panels(saved) == []


@pytest.mark.slow
def test_pictures_next_to_delphes(tmp_path, monkeypatch, saved):
    monkeypatch.setattr(delphes, "N_RUNS", 2)
    pictures = delphes.plot_comparison(CARDS / "cms.tcl", ROOT / "tests/data/delphes_qcd.npz", tmp_path)
    assert [p.name for p in pictures] == ["detector_candidates.png", "detector_jets.png"]
    assert len(saved) == len(pictures)
    assert empty_panels(saved) == []


@pytest.mark.slow
def test_plot_draws_a_card_alone_or_with_a_pair_file(tmp_path, monkeypatch):
    monkeypatch.setattr(plots, "_SHOTS", 30)
    card = CARDS / "cms.tcl"
    alone = run_cli("plot", "--detector", card, "-o", tmp_path / "alone")
    assert alone.exit_code == 0
    assert [Path(line).name for line in alone.output.splitlines()] == [
        "detector_tracks.png",
        "detector_calorimeters.png",
    ]
    assert all(Path(line).is_file() for line in alone.output.splitlines())
    again = run_cli("plot", "--detector", card, "-o", tmp_path / "alone")
    assert "the folder is not empty" in str(again.exception)
    monkeypatch.setattr("resim.plots.plot_pairs", lambda file, output: [output / f"{file.stem}.png"])
    monkeypatch.setattr("resim.plots.plot_detector", lambda card, output: [output / f"{card.stem}.png"])
    both = run_cli("plot", "m.h5", "--detector", card, "-o", tmp_path / "both")
    assert both.output.splitlines() == [str(tmp_path / "both/m.png"), str(tmp_path / "both/cms.png")]


def test_plot_of_nothing_and_of_a_wrong_card(tmp_path):
    nothing = run_cli("plot", "-o", tmp_path / "plots")
    assert nothing.exit_code == 2
    assert "Missing argument 'FILE'; give a pair file, or --detector CARD, or both." in nothing.output
    wrong = run_cli("plot", "--detector", tmp_path / "none.tcl", "-o", tmp_path / "plots")
    assert "none.tcl: cannot be read" in str(wrong.exception)
    assert not (tmp_path / "plots").exists()
