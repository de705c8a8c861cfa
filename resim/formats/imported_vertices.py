"""Secondary vertices of imported jets, as the view of a pair file has them."""

import numpy as np

from resim.common.angles import wrap
from resim.common.arrays import Arrays
from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.formats.columns_card import ColumnsCard
from resim.formats.flat_columns import FlatColumns
from resim.pairfile import schema


def imported_vertices(columns: FlatColumns, card: ColumnsCard) -> Arrays:
    """The datasets `vertex_offsets`, `vertices/pt` ... of a view by their names; nothing if the card has no vertices.

    GeV, mm and radians, absolute directions, in descending significance of the flight distance within a jet.

    Raises:
        InputError: the columns have different lengths, or a vertex no positive pT.
    """
    vertices = card.vertices
    if vertices is None:
        return {}
    read = {name: columns.of_vertices(column) for name, column in vertices.columns.items()}
    counts = read["pt"].counts
    for name, values in read.items():
        if not np.array_equal(values.counts, counts):
            raise InputError(
                f"{columns.path}: {vertices.columns[name]} has other numbers of vertices than {vertices.pt};"
                " correct `columns.vertices` in the mapping card"
            )
    found = {name: values.values for name, values in read.items()}
    columns.refuse(~(found["pt"] > 0), vertices.pt, "is not positive", counts)
    eta, phi = (columns.numbers_of_jets(str(name)) for name in (card.jets.eta, card.jets.phi))
    mirror = np.where(eta > 0, 1.0, -1.0) if card.momenta.mirrored else np.ones(len(eta))
    found["eta"] = np.repeat(eta, counts) + np.repeat(mirror, counts) * found["d_eta"]
    found["phi"] = wrap(np.repeat(phi, counts) + found["d_phi"])
    for names, scale in ((("pt", "mass"), card.momenta.scale), (("flight_2d", "flight_3d"), vertices.scale)):
        found |= {name: found[name] * scale for name in names}
    found["energy"] = np.hypot(found["pt"] * np.cosh(found["eta"]), found["mass"])
    order = np.lexsort((-found["flight_3d_significance"], np.repeat(np.arange(len(counts)), counts)))
    arrays = {f"vertices/{c.name}": found[c.name][order].astype(c.dtype) for c in schema.VERTICES}
    return arrays | {"vertex_offsets": offsets_of(counts)}
