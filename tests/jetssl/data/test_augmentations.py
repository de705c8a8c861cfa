from dataclasses import fields

import numpy as np

from jetssl.data.augmentations import rotate_flip
from tests.jetssl.conftest import make_jets


def distances(jets):
    eta, phi = jets.d_eta.astype(float), jets.d_phi.astype(float)
    return np.hypot(eta[:, :, None] - eta[:, None], phi[:, :, None] - phi[:, None])


def test_keeps_distances_and_everything_else(jets, rng):
    before = {field.name: getattr(jets, field.name).copy() for field in fields(jets)}
    turned = rotate_flip(jets, rng)
    np.testing.assert_allclose(distances(turned), distances(jets), atol=1e-6)
    np.testing.assert_allclose(np.hypot(turned.d_eta, turned.d_phi), np.hypot(jets.d_eta, jets.d_phi), atol=1e-6)
    for name, values in before.items():
        np.testing.assert_array_equal(getattr(jets, name), values)
        if name not in {"d_eta", "d_phi"}:
            np.testing.assert_array_equal(getattr(turned, name), values)
    assert not np.allclose(turned.d_eta, jets.d_eta)


def test_padding_stays_zero(jets, rng):
    turned = rotate_flip(jets, rng)
    assert (turned.d_eta[~jets.mask] == 0).all()
    assert (turned.d_phi[~jets.mask] == 0).all()


def test_half_are_mirrored_and_angles_are_uniform(rng):
    jets = make_jets(rng, [2] * 4000)
    turned = rotate_flip(jets, rng)

    def area(j):
        return j.d_eta[:, 0] * j.d_phi[:, 1] - j.d_eta[:, 1] * j.d_phi[:, 0]

    mirrored = (np.sign(area(turned)) != np.sign(area(jets))).mean()
    assert abs(mirrored - 0.5) < 0.04
    angle = np.arctan2(turned.d_phi[:, 0], turned.d_eta[:, 0])
    assert abs(np.exp(1j * angle).mean()) < 0.06
