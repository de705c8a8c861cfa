"""Toy pair files, jets and a finished run, shared by the tests of the trainer."""

from pathlib import Path

import pytest
import torch

from jetssl.config.card import Card, load_card
from jetssl.data.jets import Jets
from jetssl.data.table import PairTable, load_pairs
from jetssl.data.tensors import JetBatch, to_tensors
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.pairfile.mock import write_mock
from tests.helpers.toys import CARD, make_jets


@pytest.fixture(autouse=True)
def one_thread_and_seed():
    """Small tensors: a second thread only waits. Random numbers do not depend on the tests before."""
    torch.manual_seed(0)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


@pytest.fixture
def jets(rng) -> Jets:
    return make_jets(rng, [5, 1, 12, 3])


@pytest.fixture
def batch(jets) -> JetBatch:
    return to_tensors(jets, "relative")
