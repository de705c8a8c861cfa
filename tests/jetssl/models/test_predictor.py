"""The predictor knows jets apart, and neither padding nor order."""

import numpy as np
import pytest
import torch

from jetssl.config.projectors import PredictorCard
from jetssl.data.ragged import Ragged
from jetssl.data.tensors import to_tensors
from jetssl.models.predictor import Predictor, kinematics, ranks
from tests.helpers.toys import make_jets, normal

COUNTS = [7, 3, 12, 1]
WIDTH = 10


@pytest.fixture
def predictor():
    torch.manual_seed(1)
    return Predictor(WIDTH, PredictorCard(width=12, layers=2, heads=3), n_marks=3).double().eval()


@pytest.fixture
def jets():
    """Momenta of seen and guessed constituents, side by side, and which are real."""
    batch = to_tensors(make_jets(np.random.default_rng(0), COUNTS), "relative")
    even = torch.arange(batch.mask.shape[1]) % 2 == 0
    momenta = batch.momenta.double()
    return torch.cat([momenta, momenta], 1), torch.cat([batch.mask & even, batch.mask & ~even], 1)


def guess(predictor, tokens, momenta, real):
    layout = Ragged.of(real)
    return predictor(tokens, kinematics(momenta, layout), layout)


def tokens_of(mask):
    return normal(len(mask), mask.shape[1] // 2, WIDTH).double()


def test_padding_changes_nothing(predictor, jets):
    momenta, real = jets
    tokens = tokens_of(real)
    wanted = guess(predictor, tokens, momenta, real)
    n_seen = tokens.shape[1]
    spoiled = tokens.where(real[:, :n_seen, None], torch.tensor(1e6).double())
    found = guess(predictor, spoiled, momenta.where(real[..., None], torch.tensor(np.nan).double()), real)
    guessed = real[:, n_seen:]
    torch.testing.assert_close(found[guessed], wanted[guessed])
    assert wanted[guessed].abs().max() > 0.01


def test_order_and_other_jets_change_nothing(predictor, jets):
    momenta, real = jets
    tokens = tokens_of(real)
    wanted = guess(predictor, tokens, momenta, real)
    n_seen, turned = tokens.shape[1], torch.arange(tokens.shape[1]).flip(0)
    both = torch.cat([turned, n_seen + turned])
    found = guess(predictor, tokens[:, turned], momenta[:, both], real[:, both])
    guessed = real[:, n_seen:]
    torch.testing.assert_close(found[:, turned][guessed], wanted[guessed])
    alone = guess(predictor, tokens[2:3], momenta[2:3], real[2:3])
    torch.testing.assert_close(alone[guessed[2:3]], wanted[2:3][guessed[2:3]])


def test_a_guess_depends_on_where_and_on_what_is_seen(predictor, jets):
    momenta, real = jets
    tokens = tokens_of(real)
    wanted = guess(predictor, tokens, momenta, real)[2]
    moved = momenta.clone()
    moved[2, tokens.shape[1] + 1, 3] *= 1.5
    found = guess(predictor, tokens, moved, real)[2]
    assert (found[1] - wanted[1]).abs().max() > 1e-4
    found = guess(predictor, tokens + real[:, : tokens.shape[1], None] * normal(WIDTH).double(), momenta, real)[2]
    assert (found[1] - wanted[1]).abs().max() > 1e-4


def test_an_absolute_scale_is_not_seen(predictor, jets):
    momenta, real = jets
    tokens = tokens_of(real)
    torch.testing.assert_close(guess(predictor, tokens, 3 * momenta, real), guess(predictor, tokens, momenta, real))


def test_ranks_are_places_in_a_jet_for_seen_and_guessed_alike():
    seen = torch.tensor([[True, False, True, False], [True, True, False, False]])
    guessed = torch.tensor([[False, True, False, False], [False, False, True, False]])
    layout = Ragged.of(torch.cat([seen, guessed], 1))
    padded = layout.pad(ranks(4, layout).exp() - 1)[..., 0]
    assert padded.round().tolist() == [[0, 0, 2, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0, 2, 0]]
