"""Batches as torch tensors.

Letters: B jets, N constituents, F features. Named tuples, because Lightning moves tuples between devices.
"""

from typing import NamedTuple

import torch

from jetssl.data.batching import PaddedJets
from jetssl.data.features import FEATURE_SETS, momenta


class JetBatch(NamedTuple):
    """What an encoder receives."""

    features: torch.Tensor
    """float32 `(B, N, F)`"""
    momenta: torch.Tensor
    """float32 `(B, N, 4)`, (E, px, py, pz) in GeV seen from the jet axis"""
    mask: torch.Tensor
    """bool `(B, N)`, True for real constituents"""


class PairBatch(NamedTuple):
    """Positive pairs: jet i and jet B/2 + i are two views of `rows[i]`."""

    jets: JetBatch
    rows: torch.Tensor
    """int64 `(B/2,)`"""
    labels: torch.Tensor
    """int64 `(B/2,)`, index of the class of each row among the sorted class names"""
    kinematics: torch.Tensor
    """float32 `(B, 2)`, pT in GeV and eta of each jet as it is stored: for monitors, never for an encoder"""


def to_tensors(jets: PaddedJets, features: str) -> JetBatch:
    """Compute a feature set and hand the arrays to torch."""
    values = FEATURE_SETS[features].compute(jets)
    return JetBatch(torch.from_numpy(values), torch.from_numpy(momenta(jets)), torch.from_numpy(jets.mask))
