from contextlib import closing
from dataclasses import fields

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.data import reading
from jetssl.data.jet_table import MOMENTUM, OPTIONAL_COLUMNS, JetColumns, concatenate, read_jets
from jetssl.data.reading import JetSource, Place, ReadingProcess, WindowReader
from jetssl.data.rows import rows_of
from jetssl.data.table import load_pairs
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile

VIEWS = ("nominal", "seed")
SIZES = (40, 25, 60)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reading")
    return [write_mock(folder / f"{i}.h5", size, VIEWS, seed=i + 1) for i, size in enumerate(SIZES)]


@pytest.fixture(scope="module")
def rows(files):
    return rows_of(files)


def jets_of(table):
    """Every jet as plain lists: properties, then its constituents, column by column."""
    return [
        [
            [getattr(table.jets, field.name)[view, row].item() for field in fields(JetColumns)],
            [
                values[table.starts[view, row] :][: table.counts[view, row]].tolist()
                for values in (
                    *(getattr(table.constituents, n) for n in MOMENTUM),
                    *table.constituents.other.values(),
                )
            ],
        ]
        for view, row in np.ndindex(table.counts.shape)
        if table.counts[view, row]
    ]


def read_window(rows, wanted, columns):
    with closing(JetSource(Place.of(rows), columns)) as source:
        return source.read(wanted)


def straight_from(files, wanted):
    """The same from h5py, jet by jet."""
    place = [(number, row) for number, size in enumerate(SIZES) for row in range(size)]
    found = []
    for view in VIEWS:
        for number, row in (place[i] for i in wanted):
            with h5py.File(files[number]) as file:
                group = file[f"views/{view}"]
                start, stop = group["offsets"][row : row + 2]
                if stop > start:
                    jet = [group[f"jets/{field.name}"][row].item() for field in fields(JetColumns)]
                    columns = [
                        group[f"constituents/{n}"][start:stop].tolist() for n in (*MOMENTUM, *OPTIONAL_COLUMNS)
                    ]
                    found.append([jet, columns])
    return found


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(wanted=st.sets(st.integers(0, sum(SIZES) - 1), min_size=1, max_size=40), block=st.integers(1, 50))
def test_any_rows_of_any_files(files, rows, wanted, block):
    ascending = np.array(sorted(wanted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "ROWS_AT_ONCE", block)
        patch.setattr(reading, "LONGEST_GAP", block // 4)
        table = read_window(rows, ascending, OPTIONAL_COLUMNS)
    assert jets_of(table) == straight_from(files, ascending)


def test_rows_taken_and_joined(files):
    with PairFile(files[0]) as file:
        whole = read_jets(file, VIEWS, 0, 40, OPTIONAL_COLUMNS)
        halves = concatenate([read_jets(file, VIEWS, *ends, OPTIONAL_COLUMNS) for ends in ((0, 17), (17, 40))])
    assert jets_of(halves) == jets_of(whole) == jets_of(whole.take(np.arange(40)))
    turned = whole.take(np.array([30, 2]))
    assert jets_of(turned.take(np.array([1, 0]))) == jets_of(whole.take(np.array([2, 30])))
    assert len(turned.constituents.pt) == turned.counts.sum()


def test_only_the_columns_asked_for(files, rows):
    assert list(read_window(rows, np.array([3]), ("pdg_id",)).constituents.other) == ["pdg_id"]
    assert list(load_pairs(files, columns=("d0", "charge")).constituents.other) == ["d0", "charge"]
    assert tuple(load_pairs(files).constituents.other) == OPTIONAL_COLUMNS


@pytest.fixture
def reader(rows):
    reader = WindowReader(rows, ("charge",))
    yield reader
    reader.close()


def test_windows_are_read_by_another_process_and_once(reader, rows, monkeypatch):
    first, second, third, fourth = (np.arange(start, start + 9) for start in (0, 30, 60, 90))
    wanted = [jets_of(read_window(rows, one, ("charge",))) for one in (first, second, third, fourth)]
    tables = [reader.read(first), reader.read(first)]
    monkeypatch.setattr(reader._source, "read", None)  # nothing more is read here
    reader.announce(second)
    reader.announce(second)
    tables += [reader.read(first), reader.read(second)]
    reader.announce(third)
    tables.append(reader.read(third))
    assert tables[0] is tables[1] is tables[2]
    monkeypatch.undo()
    reader.announce(first)
    tables.append(reader.read(fourth))  # another one than was announced
    assert [jets_of(table) for table in tables[2:]] == wanted


def test_closed_readers_start_anew(reader, rows):
    one, other = np.arange(7), np.arange(40, 47)
    reader.announce(one)
    reader.close()
    reader.announce(other)
    assert jets_of(reader.read(other)) == jets_of(read_window(rows, other, ("charge",)))


def test_errors_of_the_process_arrive(tmp_path):
    path = write_mock(tmp_path / "x.h5", 20, VIEWS)
    reader = WindowReader(rows_of([path]), ("charge",))
    path.unlink()
    wanted = np.arange(5)
    reader.announce(wanted)
    with pytest.raises(InputError, match=r"x\.h5"):
        reader.read(wanted)
    reader.close()


def test_a_process_that_dies_is_named(reader):
    wanted = np.arange(5)
    reader.announce(np.arange(3))
    reader._process._process.kill()
    reader._process._process.wait()
    reader._process._answers.read()
    with pytest.raises(
        InputError, match=r"process that reads the pair files ended with status -9.*lower data\.buffer"
    ):
        reader.read(wanted)


def test_the_process_ends_with_its_owner(rows):
    process = ReadingProcess(rows, ())
    process._requests.close()
    assert process._process.wait(timeout=60) == 0
    ends = process._process
    del process
    assert ends.stdout.closed
