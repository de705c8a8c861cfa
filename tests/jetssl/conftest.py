"""Toy pair files, jets and a finished run, shared by the tests of the trainer."""

from pathlib import Path

import numpy as np
import pytest
import torch

from jetssl.config.card import Card, load_card
from jetssl.data.jets import Jets
from jetssl.data.table import PairTable, load_pairs
from jetssl.data.tensors import JetBatch, to_tensors
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.pairfile.mock import write_mock

CARD = """
data: {{files: [{file}], batch_size: 16}}
encoder: {{width: 16, layers: 1, heads: 2}}
projector: {{hidden: 16, output: 8}}
training: {{epochs: 2, threads: 1}}
"""
CLASSES = ("--signal", "two_prong", "--background", "one_prong")


@pytest.fixture(autouse=True)
def one_thread():
    """Small tensors: a second thread only waits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def mock_file(tmp_path_factory) -> Path:
    return write_mock(tmp_path_factory.mktemp("mock") / "pairs.h5", 300, ("nominal", "seed", "herwig"))


@pytest.fixture(scope="session")
def table(mock_file) -> PairTable:
    return load_pairs([mock_file])


@pytest.fixture
def card_file(tmp_path, mock_file) -> Path:
    path = tmp_path / "card.yaml"
    path.write_text(CARD.format(file=mock_file))
    return path


@pytest.fixture
def card(card_file) -> Card:
    return load_card(card_file)


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, mock_file) -> RunFolder:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "card.yaml").write_text(CARD.format(file=mock_file))
    run = RunFolder(folder / "run")
    pretrain(load_card(folder / "card.yaml"), run, quiet=True)
    return run


def make_jets(rng: np.random.Generator, counts: list[int]) -> Jets:
    """Random jets with the given numbers of constituents."""
    lengths, size = np.array(counts), sum(counts)
    charge = rng.integers(-1, 2, size)
    neutral, charged = rng.choice([22, 130, 0], size), rng.choice([11, 13, 211], size) * charge
    other = {name: rng.normal(0, 0.1, size) * (charge != 0) for name in ("d0", "dz")}
    other |= {name: rng.exponential(0.02, size) * (charge != 0) for name in ("d0_err", "dz_err")}
    pt = rng.exponential(10, size) + 0.1
    pt = np.concatenate([-np.sort(-part) for part in np.split(pt, np.cumsum(lengths)[:-1])]).astype(np.float32)
    eta = rng.uniform(-2, 2, len(counts)).astype(np.float32)
    jet_pt = np.add.reduceat(pt, np.cumsum(lengths) - lengths)
    return Jets(
        pt=pt,
        d_eta=rng.normal(0, 0.2, size).astype(np.float32),
        d_phi=rng.normal(0, 0.2, size).astype(np.float32),
        mass=np.full(size, 0.14, np.float32),
        other={"charge": charge.astype(np.int8), "pdg_id": np.where(charge == 0, neutral, charged).astype(np.int32)}
        | {name: values.astype(np.float32) for name, values in other.items()},
        counts=lengths,
        jet_pt=jet_pt,
        jet_energy=jet_pt * np.cosh(eta),
        jet_eta=eta,
        axis=eta - np.float32(0.01) * np.sign(eta),
    )


def split_by_jet(jets: Jets, values: np.ndarray) -> list[np.ndarray]:
    """Values of the constituents, `(T, ...)`, jet by jet."""
    return np.split(values, np.cumsum(jets.counts)[:-1])


@pytest.fixture
def jets(rng) -> Jets:
    return make_jets(rng, [5, 1, 12, 3])


@pytest.fixture
def batch(jets) -> JetBatch:
    return to_tensors(jets, "relative")
