"""Toy pair files, jets and a finished run, shared by the tests of the trainer."""

from pathlib import Path

import numpy as np
import pytest
import torch

from jetssl.config.card import Card, load_card
from jetssl.data.batching import PaddedJets
from jetssl.data.pairs import PairTable, load_pairs
from jetssl.data.tensors import JetBatch, to_tensors
from jetssl.pretrain import pretrain
from jetssl.run_folder import RunFolder
from resim.mock import write_mock

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


def make_jets(rng: np.random.Generator, counts: list[int]) -> PaddedJets:
    """Random jets with the given numbers of constituents."""
    mask = np.arange(max(counts)) < np.array(counts)[:, None]
    shape = mask.shape
    charge = rng.integers(-1, 2, shape) * mask
    kinds = np.where(charge == 0, rng.choice([22, 130, 0], shape), rng.choice([11, 13, 211], shape) * charge)

    def column(values):
        return np.where(mask, values, 0).astype(np.float32)

    pt = -np.sort(-column(rng.exponential(10, shape) + 0.1), axis=1)
    eta = rng.uniform(-2, 2, len(counts)).astype(np.float32)
    return PaddedJets(
        pt=pt,
        d_eta=column(rng.normal(0, 0.2, shape)),
        d_phi=column(rng.normal(0, 0.2, shape)),
        mass=column(0.14),
        charge=charge.astype(np.int8),
        pdg_id=np.where(mask, kinds, 0).astype(np.int32),
        d0=column(rng.normal(0, 0.1, shape) * (charge != 0)),
        d0_err=column(rng.exponential(0.02, shape) * (charge != 0)),
        dz=column(rng.normal(0, 0.1, shape) * (charge != 0)),
        dz_err=column(rng.exponential(0.02, shape) * (charge != 0)),
        mask=mask,
        jet_pt=pt.sum(1),
        jet_energy=pt.sum(1) * np.cosh(eta),
        jet_eta=eta,
        axis=eta - np.float32(0.01) * np.sign(eta),
    )


@pytest.fixture
def jets(rng) -> PaddedJets:
    return make_jets(rng, [5, 1, 12, 3])


@pytest.fixture
def batch(jets) -> JetBatch:
    return to_tensors(jets, "relative")
