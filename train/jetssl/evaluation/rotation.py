"""Similarity of a jet with itself, turned about its axis: what JetCLR's rotations teach (arXiv:2108.04253, fig. 2).

Letters: B jets.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import numpy as np

from jetssl.data.augmentations import turn
from jetssl.data.jets import Jets
from jetssl.data.table import PairTable
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.results import Result
from jetssl.evaluation.similarity import Vectors, record, unit_vectors
from jetssl.models.checkpoints import LoadedEncoder
from resim.common.arrays import Integers
from resim.common.progress import ProgressReport

DEGREES: Final = tuple(range(30, 360, 30))
METRIC: Final = "cosine_turned_by_"
"""Then the angle in degrees."""


def rotation(  # noqa: PLR0913, PLR0917
    loaded: LoadedEncoder,
    table: PairTable,
    rows: Integers,
    vectors: Vectors,
    facts: dict[str, Any],
    progress: ProgressReport,
) -> Iterator[Result]:
    """Mean cosine similarity of each jet of the first view with itself at every angle.

    Args:
        loaded: the encoder.
        table: where the jets are.
        rows: which, `(B,)`.
        vectors: of these rows, as they are.
        facts: what every record says of run and rows.
        progress: told of every jet.
    """
    view = vectors.views[0]
    weights = vectors.weights(facts["seed"])
    place = np.full(len(rows), table.rows.views.index(view))
    for degrees in DEGREES:
        change = partial(_turned, angle=np.deg2rad(degrees))
        turned = embed(loaded.encoder, table, place, rows, loaded.card.data.feature_set, change=change)
        progress.advance(len(rows))
        cosine = (vectors.unit[0] * unit_vectors(turned)).sum(1)
        yield record(f"{METRIC}{degrees}", view, None, (weights @ cosine / weights.sum(1)).astype(np.float64), facts)


def _turned(jets: Jets, angle: float) -> Jets:
    size = len(jets.counts)
    return turn(jets, np.full(size, angle), np.ones(size, np.int64))
