"""Jets to compare two programs on, which no pair file is needed for.

Letters: B jets, N constituents, F features.
"""

from collections.abc import Sequence

import numpy as np
import torch

from jetssl.data.tensors import JetBatch


def random_jets(lengths: Sequence[int], n_features: int, seed: int = 1) -> JetBatch:
    """Jets to compare two programs on: features of any value, massless momenta within R = 0.8 of the axis, padded.

    Args:
        lengths: constituents of each jet.
        n_features: F.
        seed: of the random numbers.
    """
    rng = np.random.default_rng(seed)
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    pt, eta, phi = rng.exponential(10, mask.shape) + 0.5, *rng.uniform(-0.5, 0.5, (2, *mask.shape))
    momenta = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
    arrays = (rng.normal(size=(*mask.shape, n_features)), momenta)
    features, momenta = (np.where(mask[..., None], values, 0).astype(np.float32) for values in arrays)
    return JetBatch(torch.from_numpy(features), torch.from_numpy(momenta), torch.from_numpy(mask))
