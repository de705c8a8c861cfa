"""Vertices, cells and tracks as entries beside the constituents of a jet."""

import h5py
import numpy as np
import pytest

from jetssl.data.jet_table import read_jets
from jetssl.data.jets import gather_jets, of_kinds
from jetssl.data.parts import COLUMNS, KIND, LAYERS, Kind, kinds_of
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from tests.helpers.toys import split_by_jet

VIEWS = ("nominal", "seed")
EVERYTHING = ("charge", *(name for own in COLUMNS.values() for name in own))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_mock(tmp_path_factory.mktemp("parts") / "pairs.h5", 30, VIEWS, vertices=True, cells=True)


def test_a_column_asks_for_its_kind():
    assert kinds_of(["track_z0", "vertex_mass", "charge"]) == [Kind.VERTEX, Kind.TRACK]
    assert kinds_of(["charge", "pdg_id"]) == []


def test_each_jet_has_its_parts_in_order(path):
    """Also where reading starts in the middle of the file; all kinds at once."""
    start, stop = 7, 25
    with PairFile(path) as file:
        table = read_jets(file, VIEWS, start, stop, EVERYTHING)
        for view, name in enumerate(VIEWS):
            valid = np.flatnonzero(file.valid(name)[start:stop])
            jets = gather_jets(table, np.full(len(valid), view), valid)
            kinds, energies = (split_by_jet(jets, values) for values in (jets.other[KIND], jets.energy))
            offsets = (
                file.offsets(name),
                file.vertex_offsets(name),
                *(file.group_offsets(name, group) for group in ("cells", "tracks")),
            )
            for jet, row in enumerate(valid + start):
                counts = [each[row + 1] - each[row] for each in offsets]
                assert kinds[jet].tolist() == np.repeat(list(Kind), counts).tolist()
                cells = slice(*offsets[2][row : row + 2])
                found = energies[jet][kinds[jet] == Kind.CELL]
                np.testing.assert_allclose(found, file.group(name, "cells", "energy", cells), rtol=1e-5)
                momentum = 1 / np.abs(file.group(name, "tracks", "q_over_p", slice(*offsets[3][row : row + 2])))
                np.testing.assert_allclose(energies[jet][kinds[jet] == Kind.TRACK], momentum, rtol=1e-5)
            charge, of_tracks = jets.other["charge"], jets.other["track_charge"]
            charged = charge[(jets.other[KIND] == Kind.CONSTITUENT) & (charge != 0)]
            assert of_tracks[jets.other[KIND] == Kind.TRACK].tolist() == charged.tolist()


def test_a_jet_without_any_keeps_its_first_constituent(path):
    with PairFile(path) as file:
        table = read_jets(file, ("nominal",), 0, len(file), EVERYTHING)
        row = np.flatnonzero(file.valid("nominal"))
    jets = gather_jets(table, np.zeros(len(row), int), row)
    tracks = of_kinds(jets, (Kind.TRACK,))
    first = split_by_jet(tracks, tracks.other[KIND])
    n_tracks = [(kinds == Kind.TRACK).sum() for kinds in split_by_jet(jets, jets.other[KIND])]
    assert [kinds.tolist() for kinds in first] == [[Kind.TRACK] * n or [Kind.CONSTITUENT] for n in n_tracks]
    nothing = of_kinds(jets, ())
    np.testing.assert_array_equal(nothing.pt, jets.pt[jets.starts])


def test_a_layer_that_no_feature_knows_is_named(path, tmp_path):
    other = tmp_path / "layers.h5"
    other.write_bytes(path.read_bytes())
    with h5py.File(other, "r+") as file:
        file["views/seed/cells/layer"][3] = LAYERS
    with PairFile(other) as file, pytest.raises(InputError, match=r"cells/layer: 6, .*know layers 0 to 5; generate"):
        read_jets(file, VIEWS, 0, len(file), COLUMNS[Kind.CELL])


def test_a_file_without_cells_is_named(mock_file):
    with (
        PairFile(mock_file) as file,
        pytest.raises(InputError, match=r"has no cells; generate it with `jets\.cells`"),
    ):
        read_jets(file, ("nominal",), 0, 3, COLUMNS[Kind.CELL])
