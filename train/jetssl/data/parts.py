"""What a jet is made of: constituents, and beside them secondary vertices, or cells and tracks.

All of them are entries of the same flat columns, so batches, augmentations and tensors need not know of them. A
column says which kind an entry is of; what only one kind has is 0 for the others.

Letters: K entries of one kind in a range.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Integers
from resim.common.errors import InputError
from resim.pairfile import schema
from resim.pairfile.reader import PairFile

MOMENTUM: Final = ("pt", "eta", "phi", "energy")
"""Columns that everything has."""
LAYERS: Final = 6
"""Layers of cells that features tell apart: those of COCOA (arXiv:2303.02101)."""
KIND: Final = "kind"
"""Optional column: the `Kind` of an entry."""


class Kind(IntEnum):
    """Kinds of entries, in the order in which a jet has them."""

    CONSTITUENT = 0
    VERTEX = 1
    CELL = 2
    TRACK = 3


COLUMNS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.VERTEX: tuple(f"vertex_{column.name}" for column in schema.VERTICES if column.name not in MOMENTUM),
    Kind.CELL: ("cell_layer",),
    Kind.TRACK: ("track_d0", "track_z0", "track_charge"),
}
"""Optional columns of each kind, which is read where one of them is asked for: mm, and the charge in units of e."""


def kinds_of(columns: Iterable[str]) -> list[Kind]:
    """Which kinds have one of the columns, in their order; constituents are always read.

    >>> kinds_of(["charge", "track_d0", "cell_layer"])
    [<Kind.CELL: 2>, <Kind.TRACK: 3>]
    """
    asked = set(columns)
    return [kind for kind, own in COLUMNS.items() if not asked.isdisjoint(own)]


def offsets_of_kind(file: PairFile, kind: Kind, view: str, rows: slice) -> Integers:
    """Offsets of the vertices, cells or tracks of a view, int64.

    Raises:
        InputError: the file has none.
    """
    if kind is Kind.VERTEX:
        return file.vertex_offsets(view, rows)
    return file.group_offsets(view, f"{kind.name.lower()}s", rows)


def read_kind(file: PairFile, kind: Kind, view: str, inside: slice) -> dict[str, npt.NDArray[Any]]:
    """The columns of `MOMENTUM` and of `COLUMNS[kind]`, float32 `(K,)` each.

    Raises:
        InputError: a cell is in a layer that features do not know.
    """
    reading = {Kind.VERTEX: _vertices, Kind.CELL: _cells, Kind.TRACK: _tracks}[kind]
    return {name: np.asarray(values, np.float32) for name, values in reading(file, view, inside).items()}


def _vertices(file: PairFile, view: str, inside: slice) -> dict[str, npt.NDArray[Any]]:
    names = (*MOMENTUM, *COLUMNS[Kind.VERTEX])
    return {name: file.vertices(view, name.removeprefix("vertex_"), inside) for name in names}


def _cells(file: PairFile, view: str, inside: slice) -> dict[str, npt.NDArray[Any]]:
    """Energy as a massless particle from the origin to the centre of the cell would have it."""
    eta, phi, energy, layer = (file.group(view, "cells", name, inside) for name in ("eta", "phi", "energy", "layer"))
    if len(layer) and not (layer.min() >= 0 and layer.max() < LAYERS):
        raise InputError(
            f"{file.path}: views/{view}/cells/layer: {layer.max()}, features of cells know layers 0 to {LAYERS - 1};"
            " generate it with a calorimeter of fewer layers, or set data.inputs to [constituents]"
        )
    return {"pt": energy / np.cosh(eta), "eta": eta, "phi": phi, "energy": energy, "cell_layer": layer}


def _tracks(file: PairFile, view: str, inside: slice) -> dict[str, npt.NDArray[Any]]:
    """Momentum at the closest approach to the beam; no mass is measured, none is assumed."""
    names = ("theta", "phi", "q_over_p", "d0", "z0")
    theta, phi, curvature, d0, z0 = (file.group(view, "tracks", name, inside) for name in names)
    momentum = np.asarray(1 / np.abs(curvature))
    place = {"pt": momentum * np.sin(theta), "eta": -np.log(np.tan(theta / 2)), "phi": phi, "energy": momentum}
    return place | {"track_d0": d0, "track_z0": z0, "track_charge": np.sign(curvature)}
