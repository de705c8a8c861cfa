"""Writer, reader, mock and documentation share the schema."""

import h5py
import numpy as np
import pytest

from resim.card.view_plan import ViewRecord
from resim.common.errors import InputError
from resim.pairfile import schema
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.row_block import RowBlock
from resim.pairfile.writer import PairWriter
from tests.helpers.chain import REPOSITORY


def test_round_trip_of_the_mock(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=12, views=("a", "b", "c"))
    with PairFile(path) as file:
        assert len(file) == 12
        assert file.view_names == ["a", "b", "c"]
        assert set(file.label_names()) == {"one_prong", "two_prong"}
        offsets = file.offsets("b")
        assert np.diff(offsets).tolist() == file.jets("b", "n_constituents").tolist()
        assert np.isnan(file.jets("b", "pt")[~file.valid("b")]).all()
        assert len(file.constituents("b", "pt", slice(0, 3))) == 3


def test_the_mock_is_reproducible(tmp_path):
    from resim.pairfile.digest import digest

    a, b, c = (write_mock(tmp_path / f"{i}.h5", seed=s) for i, s in enumerate([1, 1, 2]))
    assert digest(a) == digest(b) != digest(c)


def test_nothing_stays_under_the_final_name_without_finish(tmp_path):
    view = ViewRecord("nominal", None, None, {})
    with pytest.raises(RuntimeError, match="stop"), PairWriter(tmp_path / "x.h5", [view], ["a"], ["00"]):
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


def block_of(path) -> RowBlock:
    with PairFile(path) as file:
        names = file.dataset_paths()
        return RowBlock(tuple(file.view_names), {name: file.read(name) for name in names})


def test_a_block_that_does_not_fit_the_schema_is_refused(tmp_path):
    block = block_of(write_mock(tmp_path / "mock.h5", n_rows=3))
    for change in (
        {"views/seed/jets/pt": np.zeros(3)},
        {"views/seed/jets/pt": np.zeros(2, "<f4")},
        {"views/seed/jets/more": np.zeros(3)},
    ):
        with pytest.raises(ValueError, match="block: "):
            RowBlock(block.views, block.arrays | change)


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("schema", "other", "schema is 'other', want 'resim.pairs'"),
        ("schema_version", 99, "schema version 99, this resim reads version 2"),
        ("provenance", "{}", "unreadable provenance"),
    ],
)
def test_foreign_files_are_refused(tmp_path, attribute, value, message):
    path = write_mock(tmp_path / "mock.h5", n_rows=3)
    with h5py.File(path, "r+") as file:
        file.attrs[attribute] = value
    with pytest.raises(InputError, match=message):
        _ = PairFile(path).provenance


def test_missing_and_non_hdf5_files(tmp_path):
    with pytest.raises(InputError, match="no such pair file"):
        PairFile(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        PairFile(tmp_path / "text.h5")


def test_truncated_file(tmp_path):
    path = write_mock(tmp_path / "mock.h5", n_rows=30)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        PairFile(path)


def test_the_documentation_names_every_dataset():
    text = (REPOSITORY / "docs/format.md").read_text()
    for column in (*schema.HARD_SCATTER, *schema.SEEDS, *schema.JETS, *schema.CONSTITUENTS):
        assert f"| `{column.name}` | `{column.dtype}` |" in text, column.name
    assert f"version {schema.SCHEMA_VERSION}" in text
