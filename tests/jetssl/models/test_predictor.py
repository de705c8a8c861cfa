"""The predictor knows jets apart, and neither padding nor order."""

import numpy as np
import pytest
import torch

from jetssl.config.encoders import PredictorCard
from jetssl.data.ragged import Ragged
from jetssl.data.tensors import to_tensors
from jetssl.models.predictor import Predictor
from tests.helpers.toys import make_jets, normal

COUNTS = [7, 3, 12, 1]
WIDTH = 10


@pytest.fixture
def predictor():
    torch.manual_seed(1)
    return Predictor(WIDTH, PredictorCard(width=12, layers=2, heads=3)).double().eval()


@pytest.fixture
def jets():
    """Momenta of seen and guessed constituents, side by side, and which are real."""
    batch = to_tensors(make_jets(np.random.default_rng(0), COUNTS), "relative")
    even = torch.arange(batch.mask.shape[1]) % 2 == 0
    momenta = batch.momenta.double()
    return torch.cat([momenta, momenta], 1), torch.cat([batch.mask & even, batch.mask & ~even], 1)


def tokens_of(mask):
    return normal(len(mask), mask.shape[1] // 2, WIDTH).double()


def test_padding_changes_nothing(predictor, jets):
    momenta, real = jets
    tokens = tokens_of(real)
    wanted = predictor(tokens, momenta, Ragged.of(real))
    n_seen = tokens.shape[1]
    spoiled = tokens.where(real[:, :n_seen, None], torch.tensor(1e6).double())
    found = predictor(spoiled, momenta.where(real[..., None], torch.tensor(np.nan).double()), Ragged.of(real))
    guessed = real[:, n_seen:]
    torch.testing.assert_close(found[guessed], wanted[guessed])
    assert wanted[guessed].abs().max() > 0.01


def test_order_and_other_jets_change_nothing(predictor, jets):
    momenta, real = jets
    tokens = tokens_of(real)
    wanted = predictor(tokens, momenta, Ragged.of(real))
    n_seen, turned = tokens.shape[1], torch.arange(tokens.shape[1]).flip(0)
    both = torch.cat([turned, n_seen + turned])
    found = predictor(tokens[:, turned], momenta[:, both], Ragged.of(real[:, both]))
    guessed = real[:, n_seen:]
    torch.testing.assert_close(found[:, turned][guessed], wanted[guessed])
    alone = predictor(tokens[2:3], momenta[2:3], Ragged.of(real[2:3]))
    torch.testing.assert_close(alone[guessed[2:3]], wanted[2:3][guessed[2:3]])


def test_a_guess_depends_on_where_and_on_what_is_seen(predictor, jets):
    momenta, real = jets
    tokens = tokens_of(real)
    wanted = predictor(tokens, momenta, Ragged.of(real))[2]
    moved = momenta.clone()
    moved[2, tokens.shape[1] + 1, 3] *= 1.5
    found = predictor(tokens, moved, Ragged.of(real))[2]
    assert (found[1] - wanted[1]).abs().max() > 1e-4
    found = predictor(tokens + real[:, : tokens.shape[1], None] * normal(WIDTH).double(), momenta, Ragged.of(real))[2]
    assert (found[1] - wanted[1]).abs().max() > 1e-4


def test_an_absolute_scale_is_not_seen(predictor, jets):
    momenta, real = jets
    tokens, layout = tokens_of(real), Ragged.of(real)
    torch.testing.assert_close(predictor(tokens, 3 * momenta, layout), predictor(tokens, momenta, layout))
