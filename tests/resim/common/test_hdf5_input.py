"""HDF5 files that lead out of themselves, or that are damaged, are refused in one line when they are opened."""

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.common.hdf5_input import DEEPEST, Hdf5Input, Stored


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file.create_dataset("group/numbers", data=np.arange(5), chunks=(2,), compression="gzip", shuffle=True)
        file.create_dataset("group/truths", data=[True, False])
        file["group"].attrs["name"] = "of the group"
    (tmp_path / "secret").write_bytes(b"the bytes of another file")
    return tmp_path / "file.h5"


def test_a_sound_file_says_what_it_holds_without_being_read(path):
    with Hdf5Input(path, "make it again") as file:
        assert file.datasets == {
            "group/numbers": Stored((5,), np.dtype("<i8")),
            "group/truths": Stored((2,), np.dtype(bool)),
        }
        assert file.read("group/numbers", slice(1, 3)).tolist() == [1, 2]
        assert file.read("group/truths").tolist() == [True, False]
        assert file.attribute("name", "group") == "of the group"
        assert file.attribute("none", "group") is file.attribute("name", "none") is None
        assert file.place("group/numbers") is None
        assert file.place("group/truths") > 0
        with pytest.raises(InputError, match=r"file\.h5: dataset group/none is missing; make it again"):
            file.read("group/none")


def external(file):
    file.create_dataset("bytes", (8,), "u1", external=[(file.filename.replace("file.h5", "secret"), 0, 8)])


def virtual(file):
    layout = h5py.VirtualLayout((5,), "i8")
    layout[:] = h5py.VirtualSource(file.filename.replace("file.h5", "other.h5"), "numbers", (5,))
    file.create_virtual_dataset("virtual", layout)


def foreign_filter(file):
    create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    create.set_chunk((4,))
    create.set_filter(31_999, h5py.h5z.FLAG_OPTIONAL)
    h5py.h5d.create(file.id, b"filtered", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((4,)), dcpl=create)


def bomb(file):
    """80 GB of which one chunk is there."""
    file.create_dataset("bomb", (10**10,), "f8", chunks=(10**4,), compression="gzip")[0] = 1


def text(file):
    file["text"] = ["of any length"]


def references(file):
    file.create_dataset("references", data=[file["group"].ref], dtype=h5py.ref_dtype)


def named_type(file):
    file["type"] = np.dtype("f4")


def circle(file):
    file["group/group"] = file["group"]


def link(path, target):
    return lambda file: file.__setitem__(path, target)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (external, "dataset bytes has external storage"),
        (virtual, "dataset virtual is virtual"),
        (link("group/soft", h5py.SoftLink("/group/numbers")), "group/soft is a soft link"),
        (link("away", h5py.ExternalLink("other.h5", "numbers")), "away is a link to another file"),
        (foreign_filter, "dataset filtered needs the HDF5 filter 31999"),
        (bomb, "[0-9,]+ bytes would inflate to 80,000,000,0.., over 50 times as many"),
        (text, "dataset text holds no numbers"),
        (references, "dataset references holds no numbers"),
        (named_type, "type is neither group nor dataset"),
        (circle, f"group/group/.*: over 100000 objects, or {DEEPEST} groups deep"),
    ],
)
def test_what_leads_out_of_the_file_or_fills_the_memory_is_refused(path, change, message):
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError, match=rf"file\.h5: {message}.*; make it again"):
        Hdf5Input(path, "make it again")


def test_a_damaged_chunk_is_named(path):
    with h5py.File(path) as file:
        place = file["group/numbers"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 6] ^= 255
    path.write_bytes(content)
    with Hdf5Input(path, "make it again") as file, pytest.raises(InputError) as caught:
        file.read("group/numbers")
    assert str(caught.value).startswith(f"{path}: dataset group/numbers cannot be read (")


@pytest.mark.parametrize("content", [b"", b"text", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_what_is_not_hdf5_is_refused(tmp_path, content):
    (tmp_path / "file.h5").write_bytes(content)
    with pytest.raises(InputError, match=r"file\.h5: not a readable HDF5 file .*; make it again"):
        Hdf5Input(tmp_path / "file.h5", "make it again")


@pytest.mark.parametrize("name", ["none.h5", "."])
def test_a_missing_file_and_a_folder(tmp_path, name):
    with pytest.raises(InputError, match="no such file; make it again"):
        Hdf5Input(tmp_path / name, "make it again")


@pytest.mark.parametrize("kind", [h5py.vlen_dtype(np.int64), np.dtype([("a", "i4")]), h5py.ref_dtype])
def test_an_attribute_that_leads_elsewhere_is_not_read(path, kind):
    """HDF5 follows the address in a list of any length; in a damaged file it ended the process."""
    with h5py.File(path, "a") as file:
        space, name = h5py.h5s.create(h5py.h5s.SCALAR), b"odd"
        h5py.h5a.create(file["group"].id, name, h5py.h5t.py_create(kind), space)
    with Hdf5Input(path, "make it again") as file:
        with pytest.raises(
            InputError, match="attribute 'odd' of group is neither a text nor a number; make it again"
        ):
            file.attribute("odd", "group")
        assert file.attribute("name", "group") == "of the group"


@pytest.mark.parametrize("value", [np.array([1, 2]), np.array(["a"], "S1"), h5py.Empty("f4")])
def test_an_attribute_of_several_values_or_none_is_refused(path, value):
    with h5py.File(path, "a") as file:
        file.attrs["odd"] = value
    with (
        Hdf5Input(path, "make it again") as file,
        pytest.raises(InputError, match="attribute 'odd' of / is neither a text nor a number; make it again"),
    ):
        file.attribute("odd")
