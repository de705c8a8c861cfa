"""Changes of a jet that leave its physics alone, for whole batches; inputs are never modified.

Letters: B jets, N constituents.
"""

from dataclasses import replace

import numpy as np

from jetssl.data.batching import PaddedJets


def rotate_flip(jets: PaddedJets, rng: np.random.Generator) -> PaddedJets:
    """Turn each jet about its axis by a random angle and mirror half of them.

    Acts on the (delta eta, delta phi) plane around the jet axis, where distances are kept exactly; the orientation
    of a decay in that plane is common to the views of a row and would let the objective recognize the row without
    looking at its substructure. Derived features are computed afterwards (`jetssl.data.features`).

    Args:
        jets: B jets.
        rng: source of the B angles, uniform in [0, 2 pi), and the B mirror images.
    """
    angle = rng.uniform(0, 2 * np.pi, (len(jets.jet_pt), 1))
    mirror = np.where(rng.random(angle.shape) < 0.5, -1, 1)
    cos, sin = np.cos(angle), np.sin(angle)
    d_phi = mirror * jets.d_phi
    turned_eta = cos * jets.d_eta - sin * d_phi
    turned_phi = sin * jets.d_eta + cos * d_phi
    return replace(
        jets,
        d_eta=np.where(jets.mask, turned_eta, 0).astype(np.float32),
        d_phi=np.where(jets.mask, turned_phi, 0).astype(np.float32),
    )
