"""Anomalous versions keep pT and centre of a jet, and change what they say they change."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.config.objectives import AnomaliesCard
from jetssl.data.anomalies import PRONG, anomalize, drop, reweight, shift
from tests.helpers.toys import make_jets, split_by_jet

KINDS = {
    "drop": lambda jets, rng: drop(jets, rng, 0.4),
    "shift": lambda jets, rng: shift(jets, rng, 0.6),
    "reweight": lambda jets, rng: reweight(jets, 1.5),
    "any": lambda jets, rng: anomalize(jets, AnomaliesCard(), rng),
}


def centre(jets, values):
    return np.array(
        [
            np.average(v, weights=pt)
            for v, pt in zip(split_by_jet(jets, values), split_by_jet(jets, jets.pt), strict=True)
        ]
    )


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=20)
@given(counts=st.lists(st.integers(1, 20), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_pt_centre_order_and_input_stay(name, counts, seed):
    jets = make_jets(np.random.default_rng(seed), counts)
    before = {f.name: np.copy(getattr(jets, f.name)) for f in fields(jets) if f.name != "other"}
    made = KINDS[name](jets, np.random.default_rng(seed))
    assert made.sums(made.pt) == pytest.approx(jets.sums(jets.pt), rel=1e-4)
    for values in ("d_eta", "d_phi"):
        assert centre(made, getattr(made, values)) == pytest.approx(centre(jets, getattr(jets, values)), abs=1e-4)
    assert all((np.diff(pt) <= 1e-3).all() for pt in split_by_jet(made, made.pt))
    assert all(np.array_equal(getattr(jets, key), value) for key, value in before.items())
    assert len(made.counts) == len(counts)
    assert (made.counts >= 1).all()


def test_dropped_constituents_are_the_share_that_is_asked_for(rng):
    jets = make_jets(rng, [50] * 100)
    made = drop(jets, rng, 0.4)
    assert made.counts.mean() == pytest.approx(1 + 49 * 0.6, abs=5 * np.sqrt(49 * 0.24 / 100))


def test_what_is_shifted_is_a_prong(rng):
    """All of it by the same amount; against the rest, which only moves back to the centre."""
    jets = make_jets(rng, [40] * 30)
    made = shift(jets, rng, 0.6)
    assert np.array_equal(made.pt, jets.pt)
    for before, after in zip(
        split_by_jet(jets, np.stack([jets.d_eta, jets.d_phi], 1)),
        split_by_jet(made, np.stack([made.d_eta, made.d_phi], 1)),
        strict=True,
    ):
        amounts = np.unique((after - before).round(4), axis=0)
        assert len(amounts) == 2
        moves = np.abs(after - before - amounts[0]).max(1) < 1e-3
        inside = [set(np.flatnonzero(np.hypot(*(before - middle).T) < PRONG)) for middle in before]
        assert set(np.flatnonzero(moves)) in inside or set(np.flatnonzero(~moves)) in inside


def test_powers_of_pt(rng):
    jets = make_jets(rng, [30, 12])
    for made, was in zip(split_by_jet(jets, reweight(jets, 1.5).pt), split_by_jet(jets, jets.pt), strict=True):
        assert made / made[0] == pytest.approx((was / was[0]) ** 1.5, rel=1e-4)


def test_kinds_are_as_likely_and_each_can_be_off(rng):
    jets = make_jets(rng, [12] * 900)
    made = anomalize(jets, AnomaliesCard(drop=0.9), rng)
    dropped = made.counts < 12
    assert dropped.mean() == pytest.approx(1 / 3, abs=0.06)
    same_pt = np.array(
        [
            len(a) == 12 and np.allclose(a, b, rtol=1e-4)
            for a, b in zip(split_by_jet(made, made.pt), split_by_jet(jets, jets.pt), strict=True)
        ]
    )
    assert same_pt.mean() == pytest.approx(1 / 3, abs=0.06)
    only = anomalize(jets, AnomaliesCard(drop=0, shift=0, exponent=0.5), np.random.default_rng(1))
    assert np.array_equal(only.pt, reweight(jets, 0.5).pt)
    with pytest.raises(ValueError, match="nothing is anomalous"):
        AnomaliesCard(drop=0, shift=0, exponent=1)
