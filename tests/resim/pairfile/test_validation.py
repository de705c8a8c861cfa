import json
import re
import shutil

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.pairfile import validation
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return write_mock(tmp_path_factory.mktemp("mock") / "mock.h5", n_rows=20, vertices=True, cells=True)


def set_value(path, index, value):
    def damage(file):
        file[path][index] = value

    return damage


def first_valid(file):
    return int(np.argmax(file["views/nominal/valid"][:]))


def set_in_first_valid(column, value):
    def damage(file):
        file[f"views/nominal/jets/{column}"][first_valid(file)] = value

    return damage


def swap_first_two_pts(file):
    start = file["views/nominal/offsets"][first_valid(file)]
    pt = file["views/nominal/constituents/pt"]
    pt[start : start + 2] = pt[start : start + 2][::-1]


def give_vertices_to_a_row_without_jet(file):
    offsets, row = file["views/nominal/vertex_offsets"], int(np.argmin(file["views/nominal/valid"][:]))
    n_vertices = len(file["views/nominal/vertices/mass"])
    offsets[: row + 1], offsets[row + 1 :] = 0, n_vertices


def give_cells_to_a_row_without_jet(file):
    offsets, row = file["views/nominal/cells/offsets"], int(np.argmin(file["views/nominal/valid"][:]))
    n_cells = len(file["views/nominal/cells/energy"])
    offsets[: row + 1], offsets[row + 1 :] = 0, n_cells


def delete(path):
    return lambda file: file.__delitem__(path)


def retype(path, dtype):
    def damage(file):
        values = file[path][:]
        del file[path]
        file[path] = values.astype(dtype)

    return damage


def shorten(path):
    return lambda file: file[path].resize((len(file[path]) - 1,))


def edit_provenance(old, new):
    def damage(file):
        assert old in file.attrs["provenance"]
        file.attrs["provenance"] = file.attrs["provenance"].replace(old, new, 1)

    return damage


def test_the_mock_is_sound(sound):
    assert violations(sound) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (delete("hard_scatter/event"), "hard_scatter/event: missing"),
        (delete("views/seed/jets/tau3"), "views/seed/jets/tau3: missing"),
        (delete("views/seed/constituents/pt"), "views/seed/constituents/pt: missing"),
        (lambda f: f.create_dataset("views/seed/jets/extra", data=[1]), "extra: not part of the schema"),
        (retype("views/seed/jets/pt", "f8"), "views/seed/jets/pt: dtype <f8, want <f4"),
        (shorten("views/seed/jets/pt"), "views/seed/jets/pt: 19 entries, want 20"),
        (shorten("views/seed/constituents/eta"), "views/seed/constituents/eta: .* entries, want"),
        (set_value("hard_scatter/parton_pt", 3, np.nan), "hard_scatter/parton_pt: not finite in row 3"),
        (set_value("hard_scatter/label", 0, 9), "hard_scatter/label: values 0 ... 9, want 0 ... 1"),
        (set_value("hard_scatter/event", 4, 3), "hard_scatter/identity: row 4 differs from another row of its event"),
        (set_value("views/nominal/offsets", -1, 5), "views/nominal/offsets: run from 0 to 5, want 0 to"),
        (set_value("views/nominal/offsets", 3, 10**6), "views/nominal/offsets: decrease in row 3"),
        (lambda f: set_value("views/nominal/valid", first_valid(f), False)(f), "nominal/valid: row .* is valid without"),
        (set_in_first_valid("mass", np.inf), "nominal/jets/mass: inf in row .*, which is valid"),
        (set_in_first_valid("n_constituents", 1), "n_constituents: row .* differs from its offsets"),
        (set_value("views/nominal/constituents/phi", 0, np.nan), "constituents/phi: not finite in row"),
        (set_in_first_valid("tau1", -1.0), "nominal/jets/tau1: negative in row"),
        (set_value("views/nominal/constituents/pt", 0, 0.0), "constituents/pt: not positive in row"),
        (swap_first_two_pts, "constituents/pt: not descending in row"),
        (set_in_first_valid("pt", -1.0), "nominal/jets/pt: not positive in row"),
        (lambda f: f["views/seed/seeds/shower"].write_direct(np.zeros(20, "<u4")), "seed/seeds/shower: 0 in row"),
        (lambda f: f["hard_scatter"].attrs.__setitem__("sources", '["ff"]'), "its sources are not those of hard_scatter"),
        (delete("views/seed/vertices/mass"), "views/seed/vertices/mass: missing"),
        (delete("views/seed/vertex_offsets"), "views/seed/vertex_offsets: missing"),
        (set_value("views/seed/vertex_offsets", 3, 10**6), "views/seed/vertex_offsets: decrease in row 3"),
        (set_value("views/seed/vertices/mass", 0, np.inf), "views/seed/vertices/mass: not finite in row"),
        (set_value("views/seed/vertices/n_tracks", 0, 1), "views/seed/vertices/n_tracks: below 2 in row"),
        (give_vertices_to_a_row_without_jet, "views/nominal/vertex_offsets: row .* has vertices and no jet"),
        (delete("views/seed/tracks/d0"), "views/seed/tracks/d0: missing"),
        (set_value("views/seed/clusters/offsets", 3, 10**6), "views/seed/clusters/offsets: decrease in row 3"),
        (set_value("views/seed/tracks/theta", 0, np.nan), "views/seed/tracks/theta: not finite in row"),
        (set_value("views/seed/cells/energy", 0, 0.0), "views/seed/cells/energy: not positive in row"),
        (set_value("views/seed/cells/cluster", 0, 99), "views/seed/cells/cluster: 99 in row .*, which has"),
        (give_cells_to_a_row_without_jet, "views/nominal/cells/offsets: row .* has cells and no jet"),
        (edit_provenance('"rows":20', '"rows":19'), "provenance: counts 19 rows, the file has 20"),
        (edit_provenance('"valid":', '"valid":1'), "provenance: nominal counts .* valid rows"),
    ],
)  # fmt: skip
def test_every_damage_is_found(sound, tmp_path, damage, message):
    path = tmp_path / "damaged.h5"
    shutil.copy(sound, path)
    with h5py.File(path, "r+") as file:
        damage(file)
    found = violations(path)
    assert any(re.search(message, line) for line in found), found
    assert all("\n" not in line for line in found)


def test_entries_are_read_some_rows_at_a_time(sound, tmp_path, monkeypatch):
    """The same violations, in the same rows, and no column of cells or vertices as a whole."""
    path = tmp_path / "damaged.h5"
    shutil.copy(sound, path)
    with h5py.File(path, "r+") as file:
        for name, value in (
            ("cells/cluster", 99),
            ("clusters/energy", 0),
            ("tracks/d0", np.nan),
            ("vertices/mass", np.nan),
        ):
            file[f"views/nominal/{name}"][-1] = value
        n_cells = len(file["views/nominal/cells/energy"])
    whole = violations(path)
    assert len(whole) == 4
    read, lengths = PairFile.read, []

    def recording(self, name, rows=np.s_[:]):
        values = read(self, name, rows)
        if name == "views/nominal/cells/energy":
            lengths.append(len(values))
        return values

    monkeypatch.setattr(validation, "_JETS_AT_ONCE", 3)
    monkeypatch.setattr(PairFile, "read", recording)
    assert violations(path) == whole
    assert max(lengths) < n_cells


@pytest.mark.parametrize("group", ["views", "views/nominal", "hard_scatter"])
def test_damaged_attributes_are_one_line(sound, tmp_path, group):
    path = tmp_path / "damaged.h5"
    shutil.copy(sound, path)
    with h5py.File(path, "r+") as file:
        for name in list(file[group].attrs):
            file[group].attrs[name] = "{"
    with pytest.raises(InputError, match="is missing or damaged; generate the file again"):
        violations(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"generator": "pythia8", "lines": ["Init:plugins = {evil.so::X}"]},
            "settings of view seed:1: sets Init:plugins",
        ),
        (
            {"generator": "pythia8", "lines": ["\aInit:plugins = {evil.so::X}"]},
            "settings of view seed:1: .* is no setting",
        ),
        (
            {"generator": "herwig7", "lines": ["library evil.so"]},
            "settings of view seed:1: 'library evil.so' is not one",
        ),
        ({"generator": "herwig7", "lines": ["create A::B C evil.so"]}, "settings of view seed:1: .* names a library"),
        ({"generator": "pythia8"}, r"settings of view seed: damaged \(lines: Field required\)"),
    ],
)
def test_settings_that_a_card_may_not_make_are_a_violation(sound, tmp_path, settings, message):
    path = tmp_path / "evil.h5"
    shutil.copy(sound, path)
    with h5py.File(path, "r+") as file:
        for view in ("nominal", "seed"):
            good = {"generator": "pythia8", "lines": ["Tune:pp = 14"], "detector": "none"}
            file[f"views/{view}"].attrs["settings"] = json.dumps(good | (settings if view == "seed" else {}))
            if view == "seed" and "lines" not in settings:
                file[f"views/{view}"].attrs["settings"] = json.dumps(settings)
    assert any(re.search(message, line) for line in violations(path)), violations(path)
