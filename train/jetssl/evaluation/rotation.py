"""Similarity of a jet with itself, turned about its axis: what JetCLR's rotations teach (arXiv:2108.04253, fig. 2).

Letters: B jets, D width of the vectors.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from jetssl.data.augmentations import turn
from jetssl.data.jets import Jets
from jetssl.evaluation.results import Result
from jetssl.evaluation.similarity import Vectors, record
from resim.common.arrays import Floats32

DEGREES: Final = tuple(range(30, 360, 30))
METRIC: Final = "cosine_turned_by_"
"""Then the angle in degrees."""


def rotation(
    encode: Callable[[Callable[[Jets], Jets]], Floats32], vectors: Vectors, facts: dict[str, Any]
) -> Iterator[Result]:
    """Mean cosine similarity of each jet of the first view with itself at every angle.

    Args:
        encode: directions of the jets of the first view after a change, float32 `(B, D)`.
        vectors: of the same rows, as they are.
        facts: what every record says of run and rows.
    """
    view = vectors.views[0]
    weights = vectors.weights(facts["seed"])
    for degrees in DEGREES:
        turned = encode(partial(_turned, angle=np.deg2rad(degrees)))
        cosine = (vectors.unit[0] * turned).sum(1)
        yield record(f"{METRIC}{degrees}", view, None, (weights @ cosine / weights.sum(1)).astype(np.float64), facts)


def _turned(jets: Jets, angle: float) -> Jets:
    size = len(jets.counts)
    return turn(jets, np.full(size, angle), np.ones(size, np.int64))
