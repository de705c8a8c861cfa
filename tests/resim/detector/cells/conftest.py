"""The shipped calorimeter, and a small one."""

from pathlib import Path

import pytest
import yaml

from resim.detector.cells.cell_detector import CellDetector
from tests.helpers.chain import REPOSITORY

COCOA = REPOSITORY / "cards/calorimeter/cocoa.yaml"


@pytest.fixture(scope="session")
def cocoa() -> CellDetector:
    return CellDetector.from_card(COCOA)


@pytest.fixture(scope="session")
def coarse_card(tmp_path_factory) -> Path:
    """The shipped card with a 64th of the cells."""
    card = yaml.safe_load(COCOA.read_text())
    for section in card["sections"]:
        for layer in section["layers"]:
            layer["cells"] //= 8
    path = tmp_path_factory.mktemp("coarse") / "coarse.yaml"
    path.write_text(yaml.safe_dump(card))
    return path


@pytest.fixture(scope="session")
def coarse(coarse_card) -> CellDetector:
    return CellDetector.from_card(coarse_card)
