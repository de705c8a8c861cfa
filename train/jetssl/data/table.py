"""Whole pair files in memory, for evaluations."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np

from jetssl.config.data import ANY
from jetssl.data.jet_table import OPTIONAL_COLUMNS, JetTable
from jetssl.data.reading import JetSource, Place
from jetssl.data.rows import Rows, rows_of
from jetssl.data.weights import AUTO


@dataclass(frozen=True, slots=True)
class PairTable(JetTable):
    """All rows of one or several pair files, in the views that they have in common."""

    rows: Rows


def load_pairs(
    paths: Sequence[Path | str],
    views: Literal["any"] | Sequence[str] = ANY,
    columns: Sequence[str] = OPTIONAL_COLUMNS,
    weights: str = AUTO,
) -> PairTable:
    """Read pair files; only views that all of them have are used.

    Args:
        paths: one or several pair files.
        views: `any` for all common views, or names of the wanted ones.
        columns: which of `OPTIONAL_COLUMNS` to read.
        weights: `data.weights` of a card.

    Raises:
        InputError: a file is missing or unreadable, holds damaged rows or the same rows as another one, or a
            wanted view or weight is missing, or there is no common view.
    """
    rows = rows_of(paths, views, weights)
    with closing(JetSource(Place.of(rows), columns)) as source:
        jets = source.read(np.arange(rows.n_rows))
    return PairTable(**{field.name: getattr(jets, field.name) for field in fields(JetTable)}, rows=rows)
