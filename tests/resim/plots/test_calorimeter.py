"""The fit of a resolution with known answers, and the pictures of a coarse calorimeter."""

import numpy as np
import pytest
import yaml

from resim.detector.cells.cell_detector import CellDetector
from resim.plots import calorimeter as plots
from tests.helpers.chain import REPOSITORY, run_cli

COCOA = REPOSITORY / "cards/calorimeter/cocoa.yaml"


def test_the_fit_finds_the_three_terms():
    energy = np.geomspace(2, 200, 9)
    spread = np.sqrt(0.1**2 / energy + 0.01**2 + (0.2 / energy) ** 2)
    found = plots.fit_resolution(energy, spread, 400)
    assert (found.a, found.b, found.c) == pytest.approx((0.1, 0.01, 0.2), rel=1e-6)
    assert found(energy) == pytest.approx(spread)


def test_the_errors_of_the_fit_are_the_scatter_of_its_terms():
    generator = np.random.default_rng(5)
    energy, n = np.geomspace(4, 64, 5), 1000
    spread = np.sqrt(0.1**2 / energy + 0.02**2 + (0.2 / energy) ** 2)
    fits = [
        plots.fit_resolution(energy, spread * np.sqrt(generator.chisquare(n - 1, 5) / (n - 1)), n) for _ in range(300)
    ]
    scatter = np.std([(fit.a, fit.b, fit.c) for fit in fits], axis=0)
    assert scatter == pytest.approx(np.median([fit.errors for fit in fits], axis=0), rel=0.2)


@pytest.mark.slow
def test_electrons_of_the_shipped_card_have_the_resolution_of_the_documentation():
    """12.9 % / sqrt(E), 0.5 %, 0.13 GeV (docs/calorimeter.md); 100 electrons know it to 7 %."""
    found = plots.shoot_showers(CellDetector.from_card(COCOA), plots.SPECIES[1], np.array([8.0, 16.0, 32.0]), 100)
    assert found.response == pytest.approx(1, abs=0.03)
    assert found.spread[1] == pytest.approx(np.sqrt(0.129**2 / 16 + 0.005**2 + (0.13 / 16) ** 2), rel=0.2)
    assert found.layers.sum(axis=1) == pytest.approx(1)
    assert (found.layers.argmax(axis=1) == 1).all()
    assert (np.diff(found.radius, axis=1) >= 0).all()
    assert found.radius[:, -1] == pytest.approx(1, abs=0.01)


@pytest.mark.slow
def test_the_pictures_of_a_card_are_drawn_from_the_command_line(tmp_path, monkeypatch):
    card = yaml.safe_load(COCOA.read_text())
    for section in card["sections"]:
        for layer in section["layers"]:
            layer["cells"] //= 8
    path = tmp_path / "coarse.yaml"
    path.write_text(yaml.safe_dump(card))
    monkeypatch.setattr(plots, "_SHOTS", 4)
    drawn = run_cli("plot", "--detector", path, "-o", tmp_path / "plots")
    assert drawn.exit_code == 0, drawn.output
    names = ["calorimeter_response.png", "calorimeter_showers.png"]
    assert drawn.output.splitlines() == [str(tmp_path / "plots" / name) for name in names]
    assert all((tmp_path / "plots" / name).stat().st_size > 20_000 for name in names)
