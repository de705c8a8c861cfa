"""Types of constituents."""

import numpy as np
import pytest

from jetssl.data.columns import TYPE_NAMES, stacked, types
from tests.helpers.toys import make_jets


@pytest.mark.parametrize(
    ("pdg_id", "charge", "name"),
    [
        (211, 1, "is_charged_hadron"),
        (-2212, -1, "is_charged_hadron"),
        (130, 0, "is_neutral_hadron"),
        (0, 0, "is_neutral_hadron"),
        (22, 0, "is_photon"),
        (-11, 1, "is_electron"),
        (13, -1, "is_muon"),
    ],
)
def test_every_constituent_has_one_type(rng, pdg_id, charge, name):
    jets = make_jets(rng, [1])
    jets.other["pdg_id"][:], jets.other["charge"][:] = pdg_id, charge
    assert dict(zip(TYPE_NAMES, (bool(column[0]) for column in types(jets)), strict=True)) == {
        other: other == name for other in TYPE_NAMES
    }


def test_stacked_columns_are_single_precision():
    table = stacked([np.array([1.0, 2.0]), np.array([True, False])])
    assert table.dtype == np.float32
    assert table.tolist() == [[1, 1], [2, 0]]
