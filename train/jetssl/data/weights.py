"""Weights of events: which ones count, and relative to what.

Letters: R rows.
"""

import logging
from typing import Final

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats, Integers
from resim.common.errors import InputError
from resim.pairfile.reader import PairFile

AUTO: Final = "auto"
"""XWGTUP, which counts where it differs within an LHE file."""
NONE: Final = "none"
"""Every row counts once."""
EQUAL_WEIGHTS: Final = 1e-6
"""LHE files write about seven digits of a weight."""
log = logging.getLogger(__name__)


def stored_weights(file: PairFile, wanted: str) -> Floats:
    """Weights of the rows of a file as the LHE files have them, float64 `(R,)`; 1 for `none`.

    Args:
        file: a pair file.
        wanted: `data.weights` of a training card.

    Raises:
        InputError: the file has no such weight, some of its events have it not, or it is 0 for all of them.
    """
    if file.weights_differ and wanted in {AUTO, NONE}:
        how = "; each row counts once" if wanted == NONE else ", and count (data.weights)"
        log.warning("%s: weights of its events differ%s", file.path, how)
    if wanted == NONE:
        return np.ones(len(file))
    weights = file.hard_scatter("weight") if wanted == AUTO else file.event_weight(wanted)
    if (lacking := np.isnan(weights)).any():
        raise InputError(
            f"{file.path}: data.weights is {wanted!r}, but {int(lacking.sum())} of {len(file)} rows have none;"
            " take another weight, or files whose events all have it"
        )
    if len(weights) and not weights.any():
        raise InputError(
            f"{file.path}: data.weights is {wanted!r}, and it is 0 for all {len(file)} rows, so none would count;"
            f" take another weight, or data.weights: {NONE}"
        )
    return weights.astype(np.float64)


def relative_weights(weights: npt.NDArray[np.float64], source: Integers) -> Floats:
    """Weights over the mean of their LHE file, float64 `(R,)`.

    What one file's weights are to another's depends on how the generator norms them and on how many events were
    made, so only differences within a file count. Exactly 1 where there are none.

    Args:
        weights: of the rows, `(R,)`.
        source: index of each one's LHE file, `(R,)`.
    """
    mean = np.bincount(source, weights) / np.maximum(np.bincount(source), 1)
    relative = weights / np.where(mean == 0, 1, mean)[source]
    return np.ones_like(relative) if np.allclose(relative, 1, rtol=0, atol=EQUAL_WEIGHTS) else relative
