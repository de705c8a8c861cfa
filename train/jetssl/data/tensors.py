"""Batches as torch tensors.

Letters: B jets, N constituents of the longest one, T of all, F features. Named tuples, because Lightning moves tuples
between devices.
"""

from typing import NamedTuple

import numpy as np
import torch

from jetssl.data.features import FEATURE_SETS, momenta
from jetssl.data.jets import Jets, of_kinds
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


class HiddenBatch(NamedTuple):
    """What an objective hides: R jets are seen without some of their constituents, which the predictor has to guess.

    The predictor works on seen and guessed constituents side by side, `(R, 2 N)`.
    """

    seen: torch.Tensor
    """bool `(R, N)`, constituents that the encoder gets"""
    guessed: torch.Tensor
    """bool `(R, N)`, hidden ones, of the same jets or of their other views"""
    seen_layout: Ragged
    guessed_layout: Ragged
    """of `seen` and `guessed` side by side"""
    whole_layout: Ragged
    """of all constituents of the jets that are guessed"""


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
    hidden: HiddenBatch | None = None
    """for objectives that guess what is hidden"""
    anomalous: JetBatch | None = None
    """an anomalous version of each row, B/2 jets, for objectives that push it away"""

    def hiding(self) -> HiddenBatch:
        """What is hidden, for those who need it.

        Raises:
            ValueError: nothing is.
        """
        if self.hidden is None:
            raise ValueError("the batch hides nothing; make it with a `Look` that has the objective's card as `hide`")
        return self.hidden


def to_tensors(jets: Jets, features: str) -> JetBatch:
    """Compute a feature set, pad to the longest jet and hand the arrays to torch.

    Args:
        jets: B jets.
        features: name of the feature set.

    Raises:
        KeyError: the jets lack an optional column that the feature set reads.
    """
    feature_set = FEATURE_SETS[features]
    jets = of_kinds(jets, feature_set.kinds)
    mask = np.arange(jets.counts.max()) < jets.counts[:, None]
    computed, four_vectors = (pad(values, mask) for values in (feature_set.compute(jets), momenta(jets)))
    real = torch.from_numpy(mask)
    return JetBatch(torch.from_numpy(computed), torch.from_numpy(four_vectors), real, Ragged.of(real))


def hidden_batch(jets: JetBatch, hidden: Booleans, jets_per_row: int) -> HiddenBatch:
    """How seen, hidden and all constituents lie.

    Args:
        jets: B jets; where a row has two, the first half is seen, and what the second half hides is guessed.
        hidden: bool `(T,)`, constituents that are hidden.
        jets_per_row: 1 or 2.
    """
    real = jets.mask
    is_hidden = torch.zeros_like(real).masked_scatter_(real, torch.from_numpy(hidden))
    seen, guessed = (real & ~is_hidden), is_hidden
    if jets_per_row == 2:
        seen, guessed = seen.chunk(2)[0], guessed.chunk(2)[1]
    whole = jets.layout if jets_per_row == 1 and jets.layout else Ragged.of(real[-len(seen) :])
    return HiddenBatch(seen, guessed, Ragged.of(seen), Ragged.of(torch.cat([seen, guessed], dim=1)), whole)


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
