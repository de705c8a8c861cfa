"""The network of the re-simulation talk: its sizes, and how it tells cells from tracks."""

from pathlib import Path

import pytest
import torch

from jetssl.config.card import load_card
from jetssl.config.encoders import ResimTransformerCard
from jetssl.data.features import CELLS_AND_TRACKS
from jetssl.data.ragged import Ragged
from jetssl.evaluation.heads import build_head
from jetssl.exchange.padded import PaddedEncoder
from jetssl.methods.builder import METHODS
from jetssl.models.normalization import Normalized
from jetssl.models.resim_transformer import ResimTransformer
from resim.pairfile.mock import write_mock
from tests.helpers.toys import normal

SMALL = ResimTransformerCard(width=8, heads=2, layers=1)
N_FEATURES = len(CELLS_AND_TRACKS.names)


def jets(*shape):
    """Random features with flags as the loader sets them: 0 or 1, of one layer, or of a track."""
    features = normal(*shape, N_FEATURES)
    part = torch.randint(0, 7, shape, generator=torch.Generator().manual_seed(3))
    flags = torch.nn.functional.one_hot(part, 7).float()
    features[..., 3:9], features[..., -1] = flags[..., :6], flags[..., 6]
    return features, part == 6


def test_sizes_are_those_that_the_talk_states(tmp_path):
    """Its table 1, to the last parameter, from the shipped card."""
    path = Path(__file__).parents[3] / "cards/train/resim_cells.yaml"
    mock = write_mock(tmp_path / "pairs.h5", 4, cells=True)
    method = METHODS["ntxent"](load_card(path, [f"data.files=[{mock}]"]), 10, ("a", "b"))
    inner, head = method.encoder, build_head("resim", 128, method.card.projector, 2)
    embedding = inner.embedding
    parts = [
        [embedding.layer_embedding],
        [embedding.cell_mlp],
        [embedding.track_mlp],
        [inner.blocks, inner.norm],
        [method.projector],
        [head.output],
    ]
    counts = [sum(weights.numel() for part in group for weights in part.parameters()) for group in parts]
    assert counts == [24, 17_536, 17_280, 199_424, 8_776, 1_281]
    assert sum(weights.numel() for weights in inner.parameters()) == sum(counts[:4])


def test_tokens_are_those_of_a_loop():
    """One entry at a time: the vector of its layer beside the features of a cell, and another perceptron for tracks."""
    torch.manual_seed(1)
    embedding = ResimTransformer(N_FEATURES, SMALL).embedding
    features, is_track = jets(20)
    wanted = []
    for values, track in zip(features, is_track, strict=True):
        if track:
            wanted.append(embedding.track_mlp(values[9:14]))
        else:
            layer = int(values[3:9].argmax())
            wanted.append(embedding.cell_mlp(torch.cat([values[:3], embedding.layer_embedding.weight[:, layer]])))
    assert 0 < is_track.sum() < 20
    torch.testing.assert_close(embedding(features), torch.stack(wanted))


def test_flags_survive_the_normalization():
    torch.manual_seed(1)
    encoder = ResimTransformer(N_FEATURES, SMALL)
    features, _ = jets(3, 9)
    flags = [*range(3, 9), N_FEATURES - 1]
    normalized = Normalized(encoder, N_FEATURES)
    normalized.mean[flags], normalized.spread[flags] = features[..., flags].mean((0, 1)), 0.3
    plain = encoder.embedding(features.flatten(0, 1))
    torch.testing.assert_close(encoder.embedding(normalized.normalize(features).flatten(0, 1)), plain)


def test_the_jet_vector_is_the_mean_token():
    encoder = ResimTransformer(N_FEATURES, SMALL)
    features, _ = jets(2, 5)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    found = encoder(features, torch.zeros(2, 5, 4), mask)
    torch.testing.assert_close(found.jet[1], found.tokens[1, :3].mean(0))
    assert not found.tokens[1, 3:].any()


def test_every_parameter_learns_and_no_value_is_asked_for():
    encoder = ResimTransformer(N_FEATURES, SMALL).double()
    features, _ = jets(4, 12)
    mask = torch.ones(4, 12, dtype=torch.bool)
    weight = normal(4, 8).double()
    (encoder(features.double(), torch.zeros(4, 12, 4), mask).jet * weight).sum().backward()
    assert [name for name, p in encoder.named_parameters() if not p.grad.abs().max() > 1e-12] == []
    layout = Ragged.of(mask).to("meta")
    elsewhere = encoder.to("meta")(features.double().to("meta"), torch.zeros(4, 12, 4), mask.to("meta"), layout)
    assert elsewhere.jet.device.type == "meta"


@pytest.mark.parametrize("n_features", [10, 17])
def test_constituents_instead_have_one_perceptron(n_features):
    encoder = ResimTransformer(n_features, SMALL.model_copy(update={"cells": False}))
    assert encoder.embedding[0].in_features == n_features
    assert encoder(normal(2, 3, n_features), torch.zeros(2, 3, 4), torch.ones(2, 3, dtype=torch.bool)).jet.shape == (
        2,
        8,
    )


def test_the_exported_graph_is_the_encoder():
    """Its places are padded, and the embedding reads what is in them."""
    encoder = ResimTransformer(N_FEATURES, SMALL).double().eval()
    features, _ = jets(3, 7)
    mask = torch.arange(7) < torch.tensor([[7], [2], [5]])
    momenta = torch.zeros(3, 7, 4, dtype=torch.float64)
    with torch.inference_mode():
        jet, tokens = PaddedEncoder(encoder)(features.double(), momenta, mask)
        wanted = encoder(features.double(), momenta, mask)
    torch.testing.assert_close(jet, wanted.jet)
    torch.testing.assert_close(tokens, wanted.tokens)
