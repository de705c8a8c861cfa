"""Invariances and conservation laws of the augmentations."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.config.data import AugmentationsCard
from jetssl.data.augmentations import augment, crop, rotate_flip, smear_soft, split_collinear, translate
from jetssl.data.features import FEATURE_SETS, momenta
from tests.jetssl.conftest import make_jets

EVERYTHING = AugmentationsCard(crop=0.2, split_up_to=20, smear=0.1, translate=1.0)
ALL = {
    "rotate_flip": rotate_flip,
    "translate": lambda jets, rng: translate(jets, rng, 1.0),
    "smear_soft": lambda jets, rng: smear_soft(jets, rng, 0.1),
    "split_collinear": lambda jets, rng: split_collinear(jets, rng, 14),
    "crop": lambda jets, rng: crop(jets, rng, 0.5),
    "augment": lambda jets, rng: augment(jets, EVERYTHING, rng),
}


def distances(jets):
    eta, phi = jets.d_eta.astype(float), jets.d_phi.astype(float)
    return np.hypot(eta[:, :, None] - eta[:, None], phi[:, :, None] - phi[:, None])


def total(jets):
    """Sum of the four-momenta of each jet, `(B, 4)`."""
    return momenta(jets).astype(float).sum(1)


def masses(jets):
    energy, *momentum = total(jets).T
    return np.sqrt(energy**2 - sum(component**2 for component in momentum))


def massless(jets):
    """Mass squared if the constituents had none, in terms of differences: exact for narrow jets, too."""
    eta, phi, pt = (values.astype(float) for values in (jets.d_eta, jets.d_phi, jets.pt))
    angles = np.cosh(eta[:, :, None] - eta[:, None]) - np.cos(phi[:, :, None] - phi[:, None])
    return (pt[:, :, None] * pt[:, None] * angles).sum((1, 2))


def columns(jets):
    return {field.name: getattr(jets, field.name) for field in fields(jets)}


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
def test_mask_order_and_dtypes(name, seed, counts):
    rng = np.random.default_rng(seed)
    jets = make_jets(rng, counts)
    changed = ALL[name](jets, rng)
    lengths = changed.mask.sum(1)
    assert (lengths >= 1).all()
    assert changed.mask.shape[1] == lengths.max()
    np.testing.assert_array_equal(changed.mask, np.arange(lengths.max()) < lengths[:, None])
    for column, values in columns(changed).items():
        assert values.dtype == columns(jets)[column].dtype
        assert np.isfinite(values).all()
        if values.ndim == 2:
            assert (values[~changed.mask] == 0).all()
    assert (np.diff(changed.pt, axis=1) <= 0).all()
    assert (np.abs(changed.d_phi) <= np.float32(np.pi)).all()
    for feature_set in FEATURE_SETS.values():
        assert np.isfinite(feature_set.compute(changed)).all()


def test_padding_decides_nothing(augmentation, jets):
    """Garbage outside the mask, also where a maximum or a random choice could look."""
    dirty = {
        name: np.where(jets.mask, values, 100).astype(values.dtype)
        for name, values in columns(jets).items()
        if values.ndim == 2 and name != "mask"
    }
    clean = augmentation(jets, np.random.default_rng(2))
    other = augmentation(replace(jets, **dirty), np.random.default_rng(2))
    for name, values in columns(clean).items():
        real = clean.mask if values.ndim == 2 else ...
        np.testing.assert_array_equal(columns(other)[name][real], values[real], err_msg=name)


@pytest.mark.parametrize("name", ["rotate_flip", "translate", "smear_soft", "split_collinear"])
def test_scalar_pt_of_the_jet_is_conserved(name, rng):
    jets = make_jets(rng, [20, 3, 1, 11])
    changed = ALL[name](jets, rng)
    np.testing.assert_allclose(changed.pt.sum(1), jets.pt.sum(1), rtol=1e-6)
    np.testing.assert_array_equal(changed.jet_pt, jets.jet_pt)


@pytest.mark.parametrize("name", ["rotate_flip", "translate"])
def test_distances_are_kept(name, jets, rng):
    changed = ALL[name](jets, rng)
    both = jets.mask[:, :, None] & jets.mask[:, None]
    np.testing.assert_allclose(distances(changed)[both], distances(jets)[both], atol=1e-6)
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
    assert np.abs(massless(rotate_flip(jets, rng)) / massless(jets).clip(1e-9) - 1)[jets.mask.sum(1) > 1].max() > 1e-3


def test_energies_follow_a_rotation(jets, rng):
    """E is recomputed from the new direction (not pT cosh of the old one, and not without the mass)."""
    turned = rotate_flip(jets, rng)
    eta = turned.d_eta.astype(float) + turned.axis[:, None]
    energy = np.sqrt((turned.pt * np.cosh(eta)) ** 2 + turned.mass.astype(float) ** 2)
    names = FEATURE_SETS["full"].names
    feature = FEATURE_SETS["full"].compute(turned)[..., names.index("part_e_log")]
    with np.errstate(divide="ignore"):
        wanted = (0.7 * (np.log(energy) - 2)).clip(-5, 5)
    np.testing.assert_allclose(feature[turned.mask], wanted[turned.mask], atol=1e-5)


def test_half_are_mirrored_and_angles_are_uniform(rng):
    jets = make_jets(rng, [2] * 4000)
    turned = rotate_flip(jets, rng)

    def area(j):
        return j.d_eta[:, 0] * j.d_phi[:, 1] - j.d_eta[:, 1] * j.d_phi[:, 0]

    mirrored = (np.sign(area(turned)) != np.sign(area(jets))).mean()
    assert abs(mirrored - 0.5) < 0.04
    angle = np.arctan2(turned.d_phi[:, 0], turned.d_eta[:, 0])
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
        shift = (getattr(moved, name) - getattr(jets, name)).astype(float)
        assert np.ptp(shift, axis=1).max() < 1e-6
        unit = shift[:, 0] / np.ptp(getattr(jets, name), axis=1)
        assert np.abs(unit).max() <= 0.5 + 1e-5
        assert unit.std() == pytest.approx(0.5 / np.sqrt(3), rel=0.05)
    shifts = [(getattr(moved, name) - getattr(jets, name))[:, 0] for name in ("d_eta", "d_phi")]
    assert abs(np.corrcoef(shifts)[0, 1]) < 0.06


def test_azimuths_are_wrapped(rng):
    jets = make_jets(rng, [4] * 50)
    wide = replace(jets, d_phi=np.linspace(-3.1, 3.1, 200, dtype=np.float32).reshape(50, 4))
    moved = translate(wide, rng, 40.0)
    assert np.abs(moved.d_phi).max() <= np.float32(np.pi)
    assert np.abs(moved.d_phi).max() > 2
    assert np.abs(smear_soft(wide, rng, 10.0).d_phi).max() <= np.float32(np.pi)


def test_smearing_has_the_width_of_lambda_over_pt(rng):
    jets = make_jets(rng, [5] * 4000)
    jets = replace(jets, pt=np.tile(np.float32([50, 10, 1, 0.2, 0.01]), (4000, 1)))
    moved = smear_soft(jets, rng, 0.1)
    for shift in (moved.d_eta - jets.d_eta, moved.d_phi - jets.d_phi):
        np.testing.assert_allclose(shift[:, :3].std(0), [0.1 / 50, 0.1 / 10, 0.1], rtol=0.05)
    np.testing.assert_allclose((moved.d_eta - jets.d_eta)[:, 3:].std(0), [0.5, 1.0], rtol=0.05)


def test_splitting_conserves_four_momentum_and_energy_flow(rng):
    jets = make_jets(rng, [20, 3, 1, 11, 30])
    split = split_collinear(jets, rng, 25)
    np.testing.assert_allclose(total(split), total(jets), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(masses(split)[[0, 1, 3, 4]], masses(jets)[[0, 1, 3, 4]], rtol=1e-3)
    for i in range(5):
        places = set(zip(jets.d_eta[i], jets.d_phi[i], strict=True))
        for place in set(zip(split.d_eta[i], split.d_phi[i], strict=True)) - {(0.0, 0.0)}:
            assert place in places
            here, there = (((j.d_eta[i] == place[0]) & (j.d_phi[i] == place[1])) * j.pt[i] for j in (jets, split))
            assert there.sum() == pytest.approx(here.sum(), rel=1e-5)


@pytest.mark.parametrize("capacity", [1, 10, 25, 100])
def test_splitting_fills_real_constituents_only(rng, capacity):
    """min(capacity - n, n) of the n real ones, each once; JetCLR's own code picks padding for n < N/2."""
    counts = np.array([20, 3, 1, 11, 30])
    jets = make_jets(rng, counts.tolist())
    split = split_collinear(jets, rng, capacity)
    wanted = np.clip(capacity - counts, 0, counts)
    assert (split.mask.sum(1) - counts).tolist() == wanted.tolist()
    assert (split.pt[split.mask] > 0).all()
    copies = split_collinear(jets, rng, 2 * 30)
    for i in range(5):
        _, times = np.unique(copies.d_eta[i][copies.mask[i]], return_counts=True)
        assert (times == 2).all()


def test_split_fractions_are_uniform(rng):
    jets = make_jets(rng, [1] * 4000)
    split = split_collinear(jets, rng, 2)
    fraction = split.pt[:, 0] / jets.pt[:, 0]  # the larger of z and 1 - z
    assert fraction.min() >= 0.5
    assert fraction.mean() == pytest.approx(0.75, abs=0.01)
    assert fraction.std() == pytest.approx(0.5 / np.sqrt(12), rel=0.05)


def test_split_ones_share_type_and_charge(rng):
    jets = make_jets(rng, [4] * 10)
    split = split_collinear(jets, rng, 8)
    for name in ("charge", "pdg_id", "d0"):
        found = np.sort(getattr(split, name), axis=1)
        np.testing.assert_array_equal(found, np.sort(np.repeat(getattr(jets, name), 2, axis=1), axis=1))


def test_cropping_keeps_the_hardest_and_recomputes_the_jet(rng):
    jets = make_jets(rng, [40] * 300)
    rest = crop(jets, rng, 0.3)
    assert rest.mask.sum() / jets.mask.sum() == pytest.approx(0.7 * 39 / 40 + 1 / 40, abs=0.02)
    np.testing.assert_array_equal(rest.pt[:, 0], jets.pt[:, 0])
    for i in range(300):
        assert np.isin(rest.pt[i][rest.mask[i]], jets.pt[i]).all()
    _, p_x, p_y, _ = total(rest).T
    np.testing.assert_allclose(rest.jet_pt, np.hypot(p_x, p_y), rtol=1e-5)
    np.testing.assert_allclose(rest.jet_energy, rest.energy.sum(1), rtol=1e-5)
    assert (rest.jet_pt < jets.jet_pt * 1.0001).all()


def test_only_what_is_asked_for(jets, rng):
    nothing = AugmentationsCard(rotate=False, mirror=False)
    assert augment(jets, nothing, rng) is jets
    default = augment(jets, AugmentationsCard(), np.random.default_rng(3))
    for name, values in columns(rotate_flip(jets, np.random.default_rng(3))).items():
        np.testing.assert_array_equal(columns(default)[name], values)
