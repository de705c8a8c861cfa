import h5py
import numpy as np
import pytest

from jetssl.data.pairs import OPTIONAL_COLUMNS, load_pairs, read_rows
from resim.errors import InputError
from resim.mock import write_mock
from resim.reader import PairFile


def test_only_common_views_in_any_order(tmp_path):
    first = write_mock(tmp_path / "a.h5", 20, ("nominal", "seed", "herwig"), seed=1)
    second = write_mock(tmp_path / "b.h5", 30, ("nominal", "vincia", "seed"), seed=2)
    table = load_pairs([first, second])
    assert table.views == ("nominal", "seed")
    assert table.n_rows == 50
    alone = load_pairs([second], ("nominal", "seed"))
    np.testing.assert_array_equal(table.counts[:, 20:], alone.counts)
    row = int(np.flatnonzero(alone.valid[1])[3])
    for source, index in ((table, row + 20), (alone, row)):
        start = source.starts[1, index]
        values = source.constituents.pt[start : start + source.counts[1, index]]
        assert values.sum() == pytest.approx(alone.constituents.pt[alone.starts[1, row] :][: len(values)].sum())
    assert len(table.sources) == 2
    assert set(table.label) == {"one_prong", "two_prong"}


def test_no_common_view(tmp_path):
    first = write_mock(tmp_path / "a.h5", 10, ("nominal", "seed"))
    second = write_mock(tmp_path / "b.h5", 10, ("other", "seeds"))
    with pytest.raises(InputError, match=r"no common view.*nominal, seed.*other, seeds"):
        load_pairs([first, second])


def test_unknown_view(mock_file):
    with pytest.raises(InputError, match="asks for 'vincia', common to all files are nominal, seed, herwig"):
        load_pairs([mock_file], ("nominal", "vincia"))


def test_same_rows_twice(mock_file):
    with pytest.raises(InputError, match="shares hard scatters with"):
        load_pairs([mock_file, mock_file])


def test_views_of_one_name_and_other_settings(tmp_path):
    first, second = (write_mock(tmp_path / f"{seed}.h5", 20, seed=seed) for seed in (1, 2))
    with h5py.File(second, "a") as file:
        file["views/seed"].attrs["settings"] = '{"pythia": ["Tune:pp = 21"]}'
    with pytest.raises(InputError, match="view 'seed' has other settings"):
        load_pairs([first, second])


def test_damaged_files_are_named(tmp_path):
    path = write_mock(tmp_path / "a.h5", 20)
    with h5py.File(path, "a") as file:
        del file["views/seed/jets/mass"]
    with pytest.raises(InputError, match=r"a\.h5: views/seed/jets/mass: missing"):
        load_pairs([path])


def test_nan_is_named_by_view_and_row(tmp_path):
    path = write_mock(tmp_path / "a.h5", 20, p_valid=1.0)
    with h5py.File(path, "a") as file:
        offset = file["views/seed/offsets"][7]
        file["views/seed/constituents/eta"][offset + 1] = np.nan
    with pytest.raises(InputError, match=r"views/seed/constituents/eta: not finite in row 7"):
        load_pairs([path])


def test_rows_with(table):
    for n_views in (1, 2, 3):
        rows = table.rows_with(n_views)
        assert (table.valid[:, rows].sum(0) >= n_views).all()
        assert (table.valid[:, np.setdiff1d(np.arange(table.n_rows), rows)].sum(0) < n_views).all()
    assert 0 < len(table.rows_with(2)) < table.n_rows


def test_classes_are_sorted(table):
    assert table.classes == ("one_prong", "two_prong")


def test_blocks_of_rows_are_slices_of_the_file(mock_file, table):
    with PairFile(mock_file) as file:
        block = read_rows(file, table.views, 40, 61, ("d0",))
        assert file.label_names(slice(40, 61)).tolist() == table.label[40:61].tolist()
        assert file.label_names(slice(7, 7)).tolist() == []
    assert block.label.tolist() == table.label[40:61].tolist()
    assert list(block.constituents.other) == ["d0"]
    np.testing.assert_array_equal(block.counts, table.counts[:, 40:61])
    view, row = np.argwhere(block.valid)[-1]
    here, there = (
        t.constituents.other["d0"][t.starts[view, i] :][: t.counts[view, i]]
        for t, i in ((block, row), (table, row + 40))
    )
    np.testing.assert_array_equal(here, there)


def test_files_are_joined_column_by_column(tmp_path):
    paths = [write_mock(tmp_path / f"{seed}.h5", 20, seed=seed) for seed in (1, 2)]
    parts, joined = [load_pairs([path]) for path in paths], load_pairs(paths)
    assert tuple(joined.constituents.other) == OPTIONAL_COLUMNS
    for name in OPTIONAL_COLUMNS:
        wanted = np.concatenate([part.constituents.other[name] for part in parts])
        np.testing.assert_array_equal(joined.constituents.other[name], wanted)
    assert list(load_pairs(paths, columns=("pdg_id",)).constituents.other) == ["pdg_id"]
