"""Padding by value, weights, and columns that do not fit each other."""

from pathlib import Path

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.formats.columns_card import array_of
from resim.formats.containers import Ragged
from resim.formats.flat_columns import FlatColumns, values_of
from resim.formats.mapping_card import MappingCard

MOMENTA = {"unit": "GeV", "pt": "x[0]", "eta": "x[1]", "phi": "x[2]", "mass": 0}
X = np.array(
    [[[5.0, 0, 1], [0, 0, 0], [0, 2, 3]], [[0, 0, 0], [0, 0, 0], [0, 0, 0]], [[1, 1, 1], [2, 2, 2], [3, 3, 3]]]
)


def card(momenta=MOMENTA, **changes):
    content = {"name": "x", "container": {"kind": "hdf5"}, "labels": {"all": "x"}, "columns": {"momenta": momenta}}
    return MappingCard.model_validate({**content, "padding": {"columns": ["x[0]", "x[1]"], "value": 0}, **changes})


def flat(batch, of=None, first=10):
    return FlatColumns(Path("file"), batch, of or card(), first)


def test_an_entry_is_padding_if_all_its_columns_have_the_value():
    columns = flat({"x": X, "y": np.arange(9).reshape(3, 3), "z": np.arange(3)})
    assert columns.counts.tolist() == [2, 3]
    assert columns.entries.tolist() == [10, 12]
    assert columns.of_constituents("x[0]").tolist() == [5, 0, 1, 2, 3]
    assert columns.of_constituents("y").tolist() == [0, 2, 6, 7, 8]
    assert columns.of_jets("z").tolist() == [0, 2]


def test_what_has_no_weight_is_no_constituent():
    ragged = {name: Ragged(np.array([2, 2]), np.array([1.0, 2, 3, 4])) for name in "pef"}
    weight = Ragged(np.array([2, 2]), np.array([0.0, 0, 0.5, 0]))
    momenta = {"unit": "GeV", "pt": "p", "eta": "e", "phi": "f", "mass": 0, "weight": "w"}
    columns = flat(ragged | {"w": weight}, card(momenta, padding=None))
    assert (columns.counts.tolist(), columns.entries.tolist()) == ([1], [11])
    assert columns.of_constituents("p").tolist() == [3]


@pytest.mark.parametrize(
    ("batch", "changes", "message"),
    [
        (
            {"x": X},
            {"padding": None},
            r"has padded jets, want ragged columns, or arrays \(jets, entries\) and in the mapping",
        ),
        ({"x": X[0]}, {}, r"has arrays of shape \(3,\)"),
        ({"x": X[..., :1]}, {}, r"no column x\[1\], x is of shape \(3, 3, 1\)"),
        ({"x": Ragged(np.array([1]), np.ones(1))}, {}, r"no column x\[0\], x is ragged"),
    ],
)
def test_shapes_that_the_card_does_not_describe(batch, changes, message):
    with pytest.raises(InputError, match=message):
        flat(batch, card(**changes))


@pytest.mark.parametrize("column", ["x[2:2:1]", "x[2:0:1]", "x[0:4:1]"])
def test_slices_of_nothing_are_refused(column):
    with pytest.raises(InputError, match=r"file: no column x\[.*\], x is of shape \(3, 3, 3\)"):
        values_of(Path("file"), {"x": np.ones((3, 3, 3))}, column)


def test_a_step_of_zero_is_no_slice():
    assert array_of("x[0:4:0]") == "x[0:4:0]"


def test_an_event_is_named_as_one():
    columns = flat({"x": X}, card(padding={"columns": ["x[0]"], "value": 0}, cluster={"radius": 1.0, "pt_min": 20}))
    assert columns.jet(0) == f"event {columns.entries[0]}"


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("of_constituents", np.ones((3, 2)), "y has other numbers of entries than the momenta"),
        ("of_constituents", np.where(np.arange(9).reshape(3, 3) == 7, np.nan, 1.0), "y is not finite in jet 12"),
        ("of_constituents", np.full((3, 3), "a"), "file: y holds text, want numbers; correct the mapping card"),
        ("numbers_of_jets", np.array([b"1", b"2", b"3"]), "y holds text, want numbers"),
        ("numbers_of_jets", np.array(["1", "2", "3"], object), "y holds text, want numbers"),
        ("numbers_of_jets", np.zeros(3, complex), "y holds complex128, want numbers"),
        ("of_jets", np.ones((3, 2)), "y has several values for each jet, want one"),
        ("of_jets", np.array([1, 1, np.inf]), "y is not finite in jet 12"),
    ],
)
def test_columns_that_do_not_fit(name, values, message):
    with pytest.raises(InputError, match=message):
        getattr(flat({"x": X, "y": values}), name)("y")
