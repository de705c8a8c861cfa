"""Invariances and conservation laws of the augmentations."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.config.data import AugmentationsCard
from jetssl.data.augmentations import augment, crop, rotate_flip, smear_soft, split_collinear, translate, turn_azimuth
from jetssl.data.features import CONSTITUENT_FEATURES, FEATURE_SETS, momenta
from tests.helpers.toys import make_jets, split_by_jet

EVERYTHING = AugmentationsCard(crop=0.2, split_up_to=20, smear=0.1, translate=1.0)
ALL = {
    "rotate_flip": rotate_flip,
    "turn_azimuth": turn_azimuth,
    "translate": lambda jets, rng: translate(jets, rng, 1.0),
    "smear_soft": lambda jets, rng: smear_soft(jets, rng, 0.1),
    "split_collinear": lambda jets, rng: split_collinear(jets, rng, 14),
    "crop": lambda jets, rng: crop(jets, rng, 0.5),
    "augment": lambda jets, rng: augment(jets, EVERYTHING, rng),
}


def differences(jets, values):
    """Differences of all pairs of constituents of each jet, one array a jet, in double precision."""
    return [part[:, None] - part for part in split_by_jet(jets, values.astype(float))]


def distances(jets):
    pairs = zip(differences(jets, jets.d_eta), differences(jets, jets.d_phi), strict=True)
    return np.concatenate([np.hypot(eta, phi).ravel() for eta, phi in pairs])


def total(jets):
    """Sum of the four-momenta of each jet, `(B, 4)`."""
    return np.array([part.sum(0) for part in split_by_jet(jets, momenta(jets).astype(float))])


def masses(jets):
    energy, *momentum = total(jets).T
    return np.sqrt(energy**2 - sum(component**2 for component in momentum))


def massless(jets):
    """Mass squared if the constituents had none, in terms of differences: exact for narrow jets, too."""
    pairs = zip(
        differences(jets, jets.d_eta), differences(jets, jets.d_phi), split_by_jet(jets, jets.pt), strict=True
    )
    return np.array([(np.outer(pt, pt) * (np.cosh(eta) - np.cos(phi))).sum() for eta, phi, pt in pairs])


def columns(jets):
    return {f.name: getattr(jets, f.name) for f in fields(jets) if f.name != "other"} | dict(jets.other)


@pytest.fixture(params=list(ALL))
def augmentation(request):
    return ALL[request.param]


def test_input_is_left_alone(augmentation, jets, rng):
    before = {name: values.copy() for name, values in columns(jets).items()}
    augmentation(jets, rng)
    for name, values in columns(jets).items():
        np.testing.assert_array_equal(values, before[name])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), counts=st.lists(st.integers(1, 15), min_size=1, max_size=12))
@pytest.mark.parametrize("name", list(ALL))
def test_counts_order_and_dtypes(name, seed, counts):
    rng = np.random.default_rng(seed)
    jets = make_jets(rng, counts)
    changed = ALL[name](jets, rng)
    assert (changed.counts >= 1).all()
    assert len(changed.counts) == len(counts)
    for column, values in columns(changed).items():
        assert values.dtype == columns(jets)[column].dtype
        assert np.isfinite(values).all()
        assert len(values) in {len(counts), changed.counts.sum()}
    assert len(changed.pt) == len(changed.other["charge"]) == changed.counts.sum()
    assert all((np.diff(pt) <= 0).all() for pt in split_by_jet(changed, changed.pt))
    assert (np.abs(changed.d_phi) <= np.float32(np.pi)).all()
    for feature_set in CONSTITUENT_FEATURES.values():
        assert np.isfinite(feature_set.compute(changed)).all()


def test_jets_mix_with_no_other_jet(augmentation, rng):
    """Values of a constituent that end up in another jet, or in none, would show: each jet has its own pdg_id."""
    jets = make_jets(rng, [5, 1, 12, 3, 1])
    own = replace(jets, other={**jets.other, "pdg_id": jets.per_constituent(np.arange(5, dtype=np.int32))})
    changed = augmentation(own, rng)
    np.testing.assert_array_equal(changed.other["pdg_id"], changed.per_constituent(np.arange(5)))


@pytest.mark.parametrize("name", ["rotate_flip", "translate", "smear_soft", "split_collinear"])
def test_scalar_pt_of_the_jet_is_conserved(name, rng):
    jets = make_jets(rng, [20, 3, 1, 11])
    changed = ALL[name](jets, rng)
    np.testing.assert_allclose(changed.sums(changed.pt), jets.sums(jets.pt), rtol=1e-6)
    np.testing.assert_array_equal(changed.jet_pt, jets.jet_pt)


@pytest.mark.parametrize("name", ["rotate_flip", "translate"])
def test_distances_are_kept(name, jets, rng):
    changed = ALL[name](jets, rng)
    np.testing.assert_allclose(distances(changed), distances(jets), atol=1e-6)
    assert not np.allclose(changed.d_eta, jets.d_eta)


def test_rotation_and_translation_change_directions_only(jets, rng):
    for changed in (rotate_flip(jets, rng), translate(jets, rng, 1.0), smear_soft(jets, rng, 0.1)):
        for name, values in columns(jets).items():
            if name not in {"d_eta", "d_phi"}:
                np.testing.assert_array_equal(columns(changed)[name], values)


def test_rotation_keeps_distance_to_the_axis_and_small_jets_their_mass(jets, rng):
    turned = rotate_flip(jets, rng)
    np.testing.assert_allclose(np.hypot(turned.d_eta, turned.d_phi), np.hypot(jets.d_eta, jets.d_phi), atol=1e-6)
    narrow = replace(jets, d_eta=jets.d_eta / 20, d_phi=jets.d_phi / 20)
    np.testing.assert_allclose(massless(rotate_flip(narrow, rng)), massless(narrow), rtol=1e-3)
    assert np.abs(massless(rotate_flip(jets, rng)) / massless(jets).clip(1e-9) - 1)[jets.counts > 1].max() > 1e-3


def test_events_turn_about_the_beam(jets, rng):
    card = AugmentationsCard(azimuth=True, rotate=False, mirror=False)
    turned = augment(jets, card, rng)
    np.testing.assert_array_equal(turned.d_eta, jets.d_eta)
    angles = [np.unwrap(part) for part in split_by_jet(jets, turned.d_phi.astype(float) - jets.d_phi)]
    assert all(np.ptp(angle) < 1e-5 for angle in angles)
    assert np.ptp([angle[0] for angle in angles]) > 0.1
    assert np.abs(turned.d_phi).max() <= np.float32(np.pi)


def test_energies_follow_a_rotation(jets, rng):
    """E is recomputed from the new direction (not pT cosh of the old one, and not without the mass)."""
    turned = rotate_flip(jets, rng)
    eta = turned.d_eta.astype(float) + turned.per_constituent(turned.axis)
    energy = np.sqrt((turned.pt * np.cosh(eta)) ** 2 + turned.mass.astype(float) ** 2)
    names = FEATURE_SETS["full"].names
    feature = FEATURE_SETS["full"].compute(turned)[..., names.index("part_e_log")]
    np.testing.assert_allclose(feature, (0.7 * (np.log(energy) - 2)).clip(-5, 5), atol=1e-5)


def test_half_are_mirrored_and_angles_are_uniform(rng):
    jets = make_jets(rng, [2] * 4000)
    turned = rotate_flip(jets, rng)

    def area(j):
        return j.d_eta[::2] * j.d_phi[1::2] - j.d_eta[1::2] * j.d_phi[::2]

    mirrored = (np.sign(area(turned)) != np.sign(area(jets))).mean()
    assert abs(mirrored - 0.5) < 0.04
    angle = np.arctan2(turned.d_phi[::2], turned.d_eta[::2])
    assert abs(np.exp(1j * angle).mean()) < 0.06
    only_turned = rotate_flip(jets, rng, mirror=False)
    assert (np.sign(area(only_turned)) == np.sign(area(jets))).all()
    only_mirrored = rotate_flip(jets, rng, rotate=False)
    np.testing.assert_allclose(only_mirrored.d_eta, jets.d_eta, atol=1e-7)
    np.testing.assert_allclose(np.abs(only_mirrored.d_phi), np.abs(jets.d_phi), atol=1e-7)


def test_translation_is_uniform_within_the_extent(rng):
    jets = make_jets(rng, [6] * 4000)
    moved = translate(jets, rng, 0.5)
    for name in ("d_eta", "d_phi"):
        shift = (getattr(moved, name) - getattr(jets, name)).astype(float).reshape(4000, 6)
        assert np.ptp(shift, axis=1).max() < 1e-6
        unit = shift[:, 0] / np.ptp(getattr(jets, name).reshape(4000, 6), axis=1)
        assert np.abs(unit).max() <= 0.5 + 1e-5
        assert unit.std() == pytest.approx(0.5 / np.sqrt(3), rel=0.05)
    shifts = [(getattr(moved, name) - getattr(jets, name))[::6] for name in ("d_eta", "d_phi")]
    assert abs(np.corrcoef(shifts)[0, 1]) < 0.06


def test_azimuths_are_wrapped(rng):
    jets = make_jets(rng, [4] * 50)
    wide = replace(jets, d_phi=np.linspace(-3.1, 3.1, 200, dtype=np.float32))
    moved = translate(wide, rng, 40.0)
    assert np.abs(moved.d_phi).max() <= np.float32(np.pi)
    assert np.abs(moved.d_phi).max() > 2
    assert np.abs(smear_soft(wide, rng, 10.0).d_phi).max() <= np.float32(np.pi)


def test_smearing_has_the_width_of_lambda_over_pt(rng):
    jets = make_jets(rng, [5] * 4000)
    jets = replace(jets, pt=np.tile(np.float32([50, 10, 1, 0.2, 0.01]), 4000))
    moved = smear_soft(jets, rng, 0.1)
    for shift in (moved.d_eta - jets.d_eta, moved.d_phi - jets.d_phi):
        widths = shift.reshape(4000, 5).std(0)
        np.testing.assert_allclose(widths, [0.1 / 50, 0.1 / 10, 0.1, 0.5, 1.0], rtol=0.05)


def test_splitting_conserves_four_momentum_and_energy_flow(rng):
    jets = make_jets(rng, [20, 3, 1, 11, 30])
    split = split_collinear(jets, rng, 25)
    np.testing.assert_allclose(total(split), total(jets), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(masses(split)[[0, 1, 3, 4]], masses(jets)[[0, 1, 3, 4]], rtol=1e-3)
    for i in range(5):
        before, after = ({}, {})
        for flow, source in ((before, jets), (after, split)):
            parts = (split_by_jet(source, values)[i] for values in (source.d_eta, source.d_phi, source.pt))
            for eta, phi, pt in zip(*parts, strict=True):
                flow[eta, phi] = flow.get((eta, phi), 0) + pt
        assert after == pytest.approx(before, rel=1e-5)


@pytest.mark.parametrize("capacity", [1, 10, 25, 100])
def test_splitting_fills_real_constituents_only(rng, capacity):
    """min(capacity - n, n) of the n real ones, each once; JetCLR's own code picks padding for n < N/2."""
    counts = np.array([20, 3, 1, 11, 30])
    jets = make_jets(rng, counts.tolist())
    split = split_collinear(jets, rng, capacity)
    wanted = np.clip(capacity - counts, 0, counts)
    assert (split.counts - counts).tolist() == wanted.tolist()
    assert (split.pt > 0).all()
    for part, n_splits in zip(split_by_jet(split, split.d_eta), wanted, strict=True):
        _, times = np.unique(part, return_counts=True)
        assert np.sort(times).tolist() == [1] * (len(times) - n_splits) + [2] * n_splits


def test_every_constituent_is_split_as_often(rng):
    jets = make_jets(rng, [6] * 4000 + [2] * 10)
    hard = replace(jets, mass=np.tile(np.arange(6, dtype=np.float32), 4004)[: len(jets.pt)] + 1)
    split = split_collinear(hard, rng, 8)
    assert (split.counts == np.where(jets.counts == 6, 8, 4)).all()
    parts = zip(split_by_jet(hard, hard.mass), split_by_jet(split, split.mass), strict=True)
    where = [~np.isin(before, after) for before, after in parts]
    chosen = np.array(where[:4000])
    assert (chosen.sum(1) == 2).all()
    np.testing.assert_allclose(chosen.mean(0), 2 / 6, atol=0.03)
    together = chosen.T.astype(float) @ chosen / 4000
    np.testing.assert_allclose(together[~np.eye(6, dtype=bool)], 2 / 6 / 5, atol=0.02)


def test_no_share_is_without_momentum(jets):
    """A fraction drawn as 0 would give a constituent without pT, whose logarithm is infinite."""

    class Lowest:
        def random(self, size, dtype):
            return np.zeros(size, dtype)

        def integers(self, low, high, size, dtype):
            return np.zeros(size, dtype)

    split = split_collinear(jets, Lowest(), 60)
    assert (split.pt > 0).all()
    assert all(np.isfinite(features.compute(split)).all() for features in CONSTITUENT_FEATURES.values())


def test_split_fractions_are_uniform(rng):
    jets = make_jets(rng, [1] * 4000)
    split = split_collinear(jets, rng, 2)
    fraction = split.pt[::2] / jets.pt  # the larger of z and 1 - z
    assert fraction.min() >= 0.5
    assert fraction.mean() == pytest.approx(0.75, abs=0.01)
    assert fraction.std() == pytest.approx(0.5 / np.sqrt(12), rel=0.05)


def test_split_ones_share_type_and_charge(rng):
    jets = make_jets(rng, [4] * 10)
    split = split_collinear(jets, rng, 8)
    for name in ("charge", "pdg_id", "d0"):
        found, wanted = split.other[name].reshape(10, 8), jets.other[name].reshape(10, 4)
        np.testing.assert_array_equal(np.sort(found, axis=1), np.sort(np.repeat(wanted, 2, axis=1), axis=1))


def test_cropping_keeps_the_hardest_and_recomputes_the_jet(rng):
    jets = make_jets(rng, [40] * 300)
    rest = crop(jets, rng, 0.3)
    assert len(rest.pt) / len(jets.pt) == pytest.approx(0.7 * 39 / 40 + 1 / 40, abs=0.02)
    np.testing.assert_array_equal(rest.pt[rest.starts], jets.pt[jets.starts])
    for some, everything in zip(split_by_jet(rest, rest.pt), split_by_jet(jets, jets.pt), strict=True):
        assert np.isin(some, everything).all()
    _, p_x, p_y, _ = total(rest).T
    np.testing.assert_allclose(rest.jet_pt, np.hypot(p_x, p_y), rtol=1e-5)
    np.testing.assert_allclose(rest.jet_energy, rest.sums(rest.energy), rtol=1e-5)
    assert (rest.jet_pt < jets.jet_pt * 1.0001).all()


def test_only_what_is_asked_for(jets, rng):
    nothing = AugmentationsCard(rotate=False, mirror=False)
    assert augment(jets, nothing, rng) is jets
    default = augment(jets, AugmentationsCard(), np.random.default_rng(3))
    for name, values in columns(rotate_flip(jets, np.random.default_rng(3))).items():
        np.testing.assert_array_equal(columns(default)[name], values)
