"""Batches as torch tensors.

Letters: B jets, N constituents of the longest one, T of all, F features. Named tuples, because Lightning moves tuples
between devices.
"""

from typing import NamedTuple

import numpy as np
import torch

from jetssl.data.features import FEATURE_SETS, momenta
from jetssl.data.jets import Jets
from jetssl.data.ragged import Ragged
from resim.common.arrays import Booleans, Floats32


class JetBatch(NamedTuple):
    """What an encoder receives."""

    features: torch.Tensor
    """float32 `(B, N, F)`"""
    momenta: torch.Tensor
    """float32 `(B, N, 4)`, (E, px, py, pz) in GeV seen from the jet axis"""
    mask: torch.Tensor
    """bool `(B, N)`, True for real constituents"""
    layout: Ragged | None = None
    """of the mask; None: the encoder works it out"""


class PairBatch(NamedTuple):
    """Positive pairs: jet i and jet B/2 + i are two views of `rows[i]`."""

    jets: JetBatch
    rows: torch.Tensor
    """int64 `(B/2,)`"""
    labels: torch.Tensor
    """int64 `(B/2,)`, index of the class of each row among the sorted class names"""
    kinematics: torch.Tensor
    """float32 `(B, 2)`, pT in GeV and eta of each jet as it is stored: for monitors, never for an encoder"""
    weights: torch.Tensor | None = None
    """float32 `(B/2,)`, how much each row counts in the loss; None if all count alike"""


def to_tensors(jets: Jets, features: str) -> JetBatch:
    """Compute a feature set, pad to the longest jet and hand the arrays to torch.

    Args:
        jets: B jets.
        features: name of the feature set.

    Raises:
        KeyError: the jets lack an optional column that the feature set reads.
    """
    mask = np.arange(jets.counts.max()) < jets.counts[:, None]
    computed, four_vectors = (pad(values, mask) for values in (FEATURE_SETS[features].compute(jets), momenta(jets)))
    real = torch.from_numpy(mask)
    return JetBatch(torch.from_numpy(computed), torch.from_numpy(four_vectors), real, Ragged.of(real))


def pad(values: Floats32, mask: Booleans) -> Floats32:
    """Constituents to their places.

    Args:
        values: float32 `(T, F)`, contiguous.
        mask: bool `(B, N)` with T True, in the order of `values`.

    Returns:
        float32 `(B, N, F)`, 0 outside the mask.

    >>> pad(np.float32([[1], [2], [3]]), np.array([[True, False], [True, True]]))[..., 0].tolist()
    [[1.0, 0.0], [2.0, 3.0]]
    """
    padded = np.zeros((*mask.shape, values.shape[1]), np.float32)
    # A constituent is moved as one item of opaque bytes: five times as fast as F numbers.
    item = np.dtype((np.void, values.itemsize * values.shape[1]))
    padded.view(item)[..., 0][mask] = values.view(item)[:, 0]
    return padded
