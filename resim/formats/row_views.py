"""Which imported jets are which rows and views, and these as a block of a pair file."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from resim.card.view_plan import ViewRecord
from resim.common.arrays import Arrays, Integers
from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.formats.flat_columns import FlatColumns
from resim.formats.flat_jets import FlatJets
from resim.formats.mapping_card import ViewsCard
from resim.pairfile import schema
from resim.pairfile.row_block import RowBlock, invalid_jet_columns

NOMINAL = "nominal"
"""The view of files without pairs."""


@dataclass(frozen=True, slots=True)
class RowsOfView:
    """The jets of some rows in one view.

    Attributes:
        jets: of the rows that are valid in the view.
        row: int64 `(n_jets,)`, row of each, ascending.
    """

    jets: FlatJets
    row: Integers


def view_records(card: ViewsCard | None) -> list[ViewRecord]:
    """The views of a file, root first; no generator of ours made them, so they have no settings."""
    root, *others = card.names.values() if card else (NOMINAL,)
    return [ViewRecord(root, None, None, {}), *(ViewRecord(name, root, "hard_scatter", {}) for name in others)]


def rows_of_views(jets: FlatJets, columns: FlatColumns, card: ViewsCard | None) -> dict[str, RowsOfView]:
    """The jets by view, root first. Without pairs every jet is a row; of pairs, only those with both jets are.

    Raises:
        InputError: entries do not alternate between the root view and others, or the two of a pair differ in class.
    """
    if card is None:
        return {NOMINAL: RowsOfView(jets, np.arange(len(jets)))}
    values = columns.of_jets(card.column)
    root = next(iter(card.names))
    wrong = ~np.isin(values, [*card.names]) | ((values == root) != (jets.entry % 2 == 0))
    if wrong.any():
        place, others = int(np.argmax(wrong)), ", ".join(str(value) for value in card.names if value != root)
        raise InputError(
            f"{columns.path}: {card.column} is {values[place]} in {columns.jet(place)}; want {root} in jets 0, 2, 4"
            f" ..., and after each one of {others}; correct `views` in the mapping card"
        )
    pair, first = np.unique(jets.entry // 2, return_index=True)
    complete = np.flatnonzero(np.isin(2 * pair, jets.entry) & np.isin(2 * pair + 1, jets.entry))
    roots = first[complete]
    if (other := jets.label[roots] != jets.label[roots + 1]).any():
        place = int(roots[np.argmax(other)])
        raise InputError(
            f"{columns.path}: {columns.jet(place)} and the one after it have different classes; correct `views`"
        )
    found = {card.names[root]: RowsOfView(jets.take(roots), np.arange(len(roots)))}
    for value, name in card.names.items():
        if value != root:
            rows = np.flatnonzero(values[roots + 1] == value)
            found[name] = RowsOfView(jets.take(roots[rows] + 1), rows)
    return found


def block_of(
    views: Mapping[str, RowsOfView], source: int, number_of_label: Mapping[str, int], vertices: Arrays
) -> RowBlock:
    """The rows as a block. There is no parton: `parton_pdg_id` is 0, its momentum that of the root view's jet.

    Args:
        views: the jets of every view, root first; every row is valid in the root view.
        source: number of the file.
        number_of_label: number of each class.
        vertices: datasets of the secondary vertices of the root view, which is the only one then; or none.
    """
    root = next(iter(views.values())).jets
    n_rows = len(root)
    arrays = _hard_scatters(root, source, number_of_label, len(views) > 1)
    for name, rows in views.items():
        arrays |= {f"views/{name}/{path}": values for path, values in _view(rows, n_rows).items()}
    arrays |= {f"views/{next(iter(views))}/{path}": values for path, values in vertices.items()}
    return RowBlock(tuple(views), arrays)


def _hard_scatters(root: FlatJets, source: int, number_of_label: Mapping[str, int], pairs: bool) -> Arrays:
    n_rows = len(root)
    columns = {
        "event": root.entry // 2 if pairs else root.entry,
        "source": np.full(n_rows, source),
        "identity": root.identities(),
        "label": np.array([number_of_label[str(name)] for name in root.label]),
        "weight": np.ones(n_rows),
        "parton_pdg_id": np.zeros(n_rows),
        **{f"parton_{name}": root.jets[name] for name in ("pt", "eta", "phi", "mass")},
    }
    return {
        f"hard_scatter/{column.name}": columns[column.name].astype(column.dtype) for column in schema.HARD_SCATTER
    }


def _view(rows: RowsOfView, n_rows: int) -> Arrays:
    valid = np.zeros(n_rows, bool)
    valid[rows.row] = True
    jets = invalid_jet_columns(n_rows)
    for name, values in rows.jets.jets.items():
        jets[name][rows.row] = values
    arrays: Arrays = {f"seeds/{column.name}": np.zeros(n_rows, column.dtype) for column in schema.SEEDS}
    arrays |= {"valid": valid, "offsets": offsets_of(jets["n_constituents"])}
    arrays |= {f"jets/{name}": values for name, values in jets.items()}
    arrays |= {f"particle_jets/{c.name}": np.full(n_rows, np.nan, c.dtype) for c in schema.PARTICLE_JETS}
    return arrays | {f"constituents/{name}": values for name, values in rows.jets.constituents.items()}
