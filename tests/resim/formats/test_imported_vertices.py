import numpy as np
import pytest

from resim.common.errors import InputError
from resim.formats.containers import Ragged
from resim.formats.flat_columns import FlatColumns
from resim.formats.imported_vertices import imported_vertices
from resim.formats.mapping_card import mapping_card


def columns_of(**changes):
    """Two jets of one photon each, the first with vertices of significance 2 and 5; by the card `cms_hbb`."""
    card = mapping_card("cms_hbb", None)
    batch = {name: Ragged(np.array([1, 1]), np.zeros(2, np.float32)) for name in card.arrays}
    batch |= {f"fj_{name}": np.array(values) for name, values in (("eta", [-1.0, 1.0]), ("phi", [3.0, 0.0]))}
    batch |= {"label_H_bb": np.array([1, 0]), "sample_isQCD": np.array([0, 1])}
    vertices = {"pt": [10, 20], "mass": [1, 2], "etarel": [0.1, 0.2], "phirel": [0, 0.3], "ntracks": [2, 3]}
    vertices |= {"dxy": [0.1, 0.2], "dxysig": [1, 4], "d3d": [0.3, 0.4], "d3dsig": [2, 5], "costhetasvpv": [0.9, 1]}
    vertices |= {"normchi2": [1, 1]}
    batch |= {f"sv_{name}": Ragged(np.array([2, 0]), np.array(values, float)) for name, values in vertices.items()}
    return FlatColumns("x.root", batch | changes, card, 0), card.columns


def test_vertices_of_the_first_jet():
    found = imported_vertices(*columns_of())
    assert found["vertex_offsets"].tolist() == [0, 2, 2]
    assert found["vertices/flight_3d_significance"].tolist() == [5, 2]
    assert found["vertices/flight_2d"] == pytest.approx([2, 1])  # mm
    assert found["vertices/eta"] == pytest.approx([-1.2, -1.1])  # delta eta is mirrored at negative eta
    assert found["vertices/phi"] == pytest.approx([3.3 - 2 * np.pi, 3.0])
    assert found["vertices/energy"] == pytest.approx(np.hypot([20 * np.cosh(1.2), 10 * np.cosh(1.1)], [2, 1]))
    assert found["vertices/n_tracks"].dtype == np.int32


def test_without_vertices_in_the_card_there_are_none():
    columns, card = columns_of()
    assert imported_vertices(columns, card.model_copy(update={"vertices": None})) == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sv_mass": Ragged(np.array([1, 1]), np.ones(2))}, "sv_mass has other numbers of vertices than sv_pt"),
        ({"sv_pt": Ragged(np.array([2, 0]), np.array([1.0, 0.0]))}, "sv_pt is not positive in jet 0; correct the"),
        ({"sv_pt": Ragged(np.array([0, 2]), np.array([1.0, np.nan]))}, "sv_pt is not finite in jet 1; correct the"),
        ({"sv_pt": np.ones((2, 3))}, "sv_pt is not ragged; take `vertices` out"),
    ],
)
def test_columns_that_are_none_of_vertices_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        imported_vertices(*columns_of(**changes))
