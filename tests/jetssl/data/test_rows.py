import json

import h5py
import numpy as np
import pytest

from jetssl.data.rows import rows_of
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock


def test_only_common_views_in_any_order(tmp_path):
    first = write_mock(tmp_path / "a.h5", 20, ("nominal", "seed", "herwig"), seed=1)
    second = write_mock(tmp_path / "b.h5", 30, ("nominal", "vincia", "seed"), seed=2)
    rows = rows_of([first, second])
    assert rows.views == ("nominal", "seed")
    assert rows.n_rows == 50
    alone = rows_of([second], ("nominal", "seed"))
    np.testing.assert_array_equal(rows.valid[:, 20:], alone.valid)
    np.testing.assert_array_equal(rows.parton_pt[20:], alone.parton_pt)
    assert rows.sources == (*rows_of([first]).sources, *alone.sources)
    assert rows.source.tolist() == [0] * 20 + [1] * 30
    assert [file.rows for file in rows.files] == [20, 30]


def test_classes_are_sorted_and_joined(tmp_path):
    paths = [write_mock(tmp_path / f"{seed}.h5", 20, seed=seed) for seed in (1, 2)]
    with h5py.File(paths[1], "a") as file:
        file["hard_scatter"].attrs["labels"] = '["two_prong", "a_third"]'
    rows = rows_of(paths)
    assert rows.classes == ("a_third", "one_prong", "two_prong")
    assert rows.label.tolist() == ["one_prong", "two_prong"] * 10 + ["two_prong", "a_third"] * 10
    assert rows.files[1].labels == {"two_prong": 10, "a_third": 10}


def test_no_common_view(tmp_path):
    first = write_mock(tmp_path / "a.h5", 10, ("nominal", "seed"))
    second = write_mock(tmp_path / "b.h5", 10, ("other", "seeds"))
    with pytest.raises(InputError, match=r"no common view.*nominal, seed.*other, seeds"):
        rows_of([first, second])


def test_unknown_view(mock_file):
    with pytest.raises(InputError, match="asks for 'vincia', common to all files are nominal, seed, herwig"):
        rows_of([mock_file], ("nominal", "vincia"))


def test_a_family_is_all_its_members(tmp_path):
    path = write_mock(tmp_path / "a.h5", 20, ("nominal", "redetect/0", "seed", "redetect/1"))
    assert rows_of([path], ("redetect", "nominal")).views == ("nominal", "redetect/0", "redetect/1")
    assert rows_of([path], ("redetect/1",)).views == ("redetect/1",)
    with pytest.raises(InputError, match="asks for 'rehadron', common to all files are nominal, redetect/0, seed"):
        rows_of([path], ("rehadron",))


def test_same_rows_twice(mock_file):
    with pytest.raises(InputError, match=r"shares hard scatters with .*event 0 of 0000"):
        rows_of([mock_file, mock_file])


def test_other_events_of_the_same_lhe_file(tmp_path):
    paths = [write_mock(tmp_path / f"{name}.h5", 20) for name in "ab"]
    with h5py.File(paths[1], "a") as file:
        file["hard_scatter/event"][:] = np.arange(20, 40)
    rows = rows_of(paths)
    assert len(rows.sources) == 1
    assert rows.event.tolist() == list(range(40))


def test_views_of_one_name_and_other_settings(tmp_path):
    first, second = (write_mock(tmp_path / f"{seed}.h5", 20, seed=seed) for seed in (1, 2))
    for path, tune in ((first, 14), (second, 21)):
        with h5py.File(path, "a") as file:
            for view, number in (("nominal", 14), ("seed", tune)):
                settings = {"generator": "pythia8", "lines": [f"Tune:pp = {number}"], "detector": "none"}
                file[f"views/{view}"].attrs["settings"] = json.dumps(settings)
    with pytest.raises(InputError, match="view 'seed' has other settings"):
        rows_of([first, second])


def test_damaged_files_are_named(tmp_path):
    path = write_mock(tmp_path / "a.h5", 20)
    with h5py.File(path, "a") as file:
        del file["views/seed/jets/mass"]
    with pytest.raises(InputError, match=r"a\.h5: views/seed/jets/mass: missing"):
        rows_of([path])


def test_nan_is_named_by_view_and_row(tmp_path):
    path = write_mock(tmp_path / "a.h5", 20, p_valid=1.0)
    with h5py.File(path, "a") as file:
        offset = file["views/seed/offsets"][7]
        file["views/seed/constituents/eta"][offset + 1] = np.nan
    with pytest.raises(InputError, match=r"a\.h5: views/seed/constituents/eta: not finite in row 7"):
        rows_of([path])


def test_rows_without_labels_say_nothing_of_classes(mock_file):
    rows = rows_of([mock_file]).without_labels()
    assert rows.classes == ("unlabelled",)
    assert set(rows.label) == {"unlabelled"}
    assert rows.files[0].labels == {"unlabelled": 300}
    np.testing.assert_array_equal(rows.event, rows_of([mock_file]).event)
