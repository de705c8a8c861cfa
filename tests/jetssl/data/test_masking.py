"""Which constituents are hidden."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetssl.config.objectives import JepaCard
from jetssl.data.features import momenta
from jetssl.data.masking import hide
from resim.common.ragged import offsets_of
from resim.jets.clustering import subjets_of
from tests.helpers.toys import make_jets, split_by_jet

MASKINGS = ["random", "contiguous", "kt_subjets"]
COUNTS = st.lists(st.integers(1, 30), min_size=1, max_size=12)


@pytest.mark.parametrize("masking", MASKINGS)
@given(counts=COUNTS, seed=st.integers(0, 99))
def test_every_jet_hides_its_share_and_keeps_something(masking, counts, seed):
    jets = make_jets(np.random.default_rng(seed), counts)
    card = JepaCard(masking=masking, masked=(0.3, 0.5))
    hidden = hide(jets, card, np.random.default_rng(seed))
    assert np.array_equal(hidden, hide(jets, card, np.random.default_rng(seed)))
    for count, of_jet in zip(counts, split_by_jet(jets, hidden), strict=True):
        least, most = (min(max(1, round(share * count)), count - 1) for share in (0.3, 0.5))
        assert least <= of_jet.sum() <= most


def test_shares_are_uniform_and_every_constituent_has_its_turn():
    jets = make_jets(np.random.default_rng(0), [40] * 4000)
    hidden = hide(jets, JepaCard(masked=(0.2, 0.6)), np.random.default_rng(1)).reshape(-1, 40)
    numbers = np.bincount(hidden.sum(1), minlength=25)[9:24]  # 8 and 24 have half the probability
    expected = 4000 / 16
    assert ((numbers - expected) ** 2 / expected).sum() < 35  # 15 numbers: a chance of 0.2 %
    assert hidden.mean(0) == pytest.approx(0.4, abs=5 * np.sqrt(0.24 / 4000))


def test_contiguous_are_the_nearest_of_one_of_them():
    jets = make_jets(np.random.default_rng(2), [12] * 50)
    hidden = hide(jets, JepaCard(masking="contiguous"), np.random.default_rng(3)).reshape(-1, 12)
    places = np.stack([jets.d_eta, jets.d_phi], axis=1).astype(float).reshape(-1, 12, 2)
    for mask, place in zip(hidden, places, strict=True):
        distances = np.linalg.norm(place[:, None] - place, axis=-1)
        inside = [set(np.argsort(row)[: mask.sum()]) for row in distances]
        assert set(np.flatnonzero(mask)) in inside


def test_subjets_are_hidden_as_a_whole_but_for_one():
    jets = make_jets(np.random.default_rng(4), [25] * 40)
    card = JepaCard(masking="kt_subjets", subjet_radius=0.2)
    hidden = hide(jets, card, np.random.default_rng(5))
    subjet = subjets_of(offsets_of(jets.counts), momenta(jets).astype(float), 0.2)
    for mask, number in zip(split_by_jet(jets, hidden), split_by_jet(jets, subjet), strict=True):
        shares = [mask[number == n].mean() for n in np.unique(number)]
        assert sum(0 < share < 1 for share in shares) <= 1
        assert any(share == 0 for share in shares) or len(shares) < 3
