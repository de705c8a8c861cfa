"""The CMS card, what Delphes made of recorded events, and a pool of minimum-bias events."""

from pathlib import Path

import pytest

from resim.detector import Detector
from resim.detector.minimum_bias import PoolOptions, make_pool
from resim.detector.pool import Pool
from tests.helpers.chain import REPOSITORY
from tests.helpers.delphes_recording import Recording, load_recording
from tests.helpers.particles import N_POOL


@pytest.fixture(scope="session")
def cms() -> Detector:
    return Detector.from_card(REPOSITORY / "cards/delphes/cms.tcl")


@pytest.fixture(scope="session")
def recording() -> Recording:
    return load_recording(REPOSITORY / "tests/data/delphes_qcd.npz")


@pytest.fixture(scope="session")
def quick(tmp_path_factory) -> Path:
    """Settings without partons in diffraction, whose multiparton interactions Pythia tabulates for 18 s."""
    path = tmp_path_factory.mktemp("quick") / "quick.cmnd"
    path.write_text("Tune:pp = 21\nDiffraction:mMinPert = 1e6\n")
    return path


@pytest.fixture(scope="session")
def pool(quick, tmp_path_factory) -> Pool:
    path = tmp_path_factory.mktemp("pool") / "pool.h5"
    make_pool(path, PoolOptions(N_POOL, card=quick, quiet=True))
    return Pool.open(path)
