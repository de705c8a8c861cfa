"""The shipped training cards: each loads, builds, and takes a step."""

from pathlib import Path

import numpy as np
import pytest
import torch

from jetssl.config.card import load_card
from jetssl.data.datamodule import PairDataModule
from jetssl.data.rows import rows_of
from jetssl.methods.builder import METHODS
from resim.pairfile.mock import write_mock
from tests.helpers.adc import toy_events, write_adc
from tests.helpers.chain import run_cli

CARDS = sorted((Path(__file__).parents[2] / "cards/train").glob("*.yaml"))
PUBLISHED = {"resim", "resim_cells", "rs3l", "jetclr", "vicreg", "vicreg_in", "pjepa", "supervised"}
SMALL_ONLY = {"live", "mpm", "sigreg", "mack", "anomclr", "anomclr_events", "lgatr", "lloca"}


@pytest.fixture(scope="module")
def mock_file(tmp_path_factory):
    """With secondary vertices, and with cells and tracks, which some of the cards read."""
    views = ("nominal", "seed", "herwig", "generated")
    return write_mock(tmp_path_factory.mktemp("mock") / "pairs.h5", 300, views, vertices=True, cells=True)


@pytest.fixture(scope="module")
def events_file(tmp_path_factory):
    """Whole events, for the card that wants them."""
    folder = tmp_path_factory.mktemp("events")
    raw = write_adc(folder / "raw.h5", toy_events(np.random.default_rng(0), 40))
    assert run_cli("import", raw, "--format", "adc2021", "-o", folder / "events.h5", "--quiet").exit_code == 0
    return folder / "events.h5"


def test_all_are_there():
    names = {path.stem for path in CARDS}
    assert names == PUBLISHED | {f"{name}_small" for name in PUBLISHED | SMALL_ONLY} | {"demo", "lgatr"}


@pytest.mark.slow
@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_takes_a_step(path, mock_file, events_file):
    file = events_file if "events" in path.stem else mock_file
    card = load_card(path, [f"data.files=[{file}]", "data.batch_size=2"])
    method_type = METHODS[card.objective.name]
    rows = rows_of(card.data.files, card.views.names)
    data = PairDataModule(rows, card)
    method = method_type(card, 10, rows.classes)
    loss = method.losses(data.training_batches(0).batch(0))["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in method.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        *[("rs3l", 0.117), ("jetclr", 26), ("vicreg_in", 0.0179), ("supervised", 2.14)],
        *[("lgatr", 0.82), ("lgatr_small", 0.104), ("lloca_small", 0.103)],
    ],
)
def test_sizes_of_published_networks(name, millions, mock_file):
    """With the projector and Adam's two moments, RS3L's makes up the 1.6 MB of its published checkpoints."""
    path = next(path for path in CARDS if path.stem == name)
    card = load_card(path, [f"data.files=[{mock_file}]"])
    method = METHODS[card.objective.name](card, 10, ("a", "b"))
    count = sum(parameter.numel() for parameter in method.encoder.parameters())
    assert count / 1e6 == pytest.approx(millions, rel=0.05)


def test_sizes_that_resim_states(mock_file):
    """Transformer and output network of its table 1, to the last parameter."""
    path = next(path for path in CARDS if path.stem == "resim")
    method = METHODS["ntxent"](load_card(path, [f"data.files=[{mock_file}]"]), 10, ("a", "b"))
    parts = method.encoder.blocks, method.encoder.norm, method.projector
    blocks, norm, projector = (sum(parameter.numel() for parameter in part.parameters()) for part in parts)
    assert (blocks + norm, projector) == (199_424, 8_776)
