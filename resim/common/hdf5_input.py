"""HDF5 files that are read: nothing in them leads out of the file, and what is wrong with them is said in one line.

HDF5 can name other files in many ways (external storage, links, virtual datasets) and loads libraries for filters
that it does not know. None of that is part of any file of this project, so a file that has it is refused.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5d, h5g, h5l, h5o, h5s, h5t, h5z

from resim.common import hdf5_plugins
from resim.common.errors import InputError, reason_of
from resim.common.hdf5_chunks import largest_chunk, misfit
from resim.common.hdf5_heaps import damaged_heap
from resim.common.limits import INFLATION, INFLATION_FREE

FILTERS: Final = (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32, h5z.FILTER_LZF)
"""Filters that h5py brings along; for others HDF5 looks for libraries to load."""
TYPES: Final = (h5t.INTEGER, h5t.FLOAT, h5t.ENUM)
"""Classes of types of datasets; h5py stores truth values as an enumeration."""
_ATTRIBUTES: Final = (h5t.STRING, h5t.INTEGER, h5t.FLOAT, h5t.ENUM)
"""Classes of types of attributes: HDF5 follows the addresses in others, as in lists of any length, anywhere."""
DEEPEST: Final = 16
"""Groups inside each other; a pair file has 3."""
MOST_OBJECTS: Final = 100_000
"""Groups and datasets of a file; a pair file of 50 views has about 2,300."""
_LINKS: Final = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
"""User-defined links have a type that h5py does not know: `links.get_info` of them raises, too."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Shape and type of a dataset."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def n_bytes(self) -> int:
        """Size in memory."""
        return math.prod(self.shape) * self.dtype.itemsize


class Hdf5Input:
    """An HDF5 file opened for reading and checked; a context manager.

    Args:
        path: the file.
        remedy: how the user gets a sound one; the end of every message.

    Attributes:
        datasets: path -> shape and type of every dataset, found without reading any.
        filters: numbers of the HDF5 filters that a dataset may have.
        plugins: those of them that the package hdf5plugin brings along; it is imported where one is met.
        types: classes of types that a dataset may have.

    Raises:
        InputError: missing, locked, not HDF5, truncated or damaged, or the file holds a link, external storage, a
            virtual dataset, a filter or a type that no file of this project has.
    """

    filters: tuple[int, ...] = FILTERS
    plugins: tuple[int, ...] = ()
    types: tuple[int, ...] = TYPES

    def __init__(self, path: Path, remedy: str) -> None:
        self.path, self.remedy = path, remedy
        self._file = self._open()
        self._opened: dict[str, h5py.Dataset] = {}
        try:
            with self.reading("its table of contents"):
                self._refuse_endless_heaps()
                allowed = _Allowed(self.filters, self.plugins, self.types, largest_chunk(path))
                self.datasets = dict(_survey(self._file.id, allowed))
                self._refuse_bomb()
        except InputError:
            self.close()
            raise

    def _open(self) -> h5py.File:
        if not self.path.is_file():
            raise self.refusal("no such file")
        try:
            return h5py.File(self.path, "r")
        except OSError as error:
            if "unable to lock file" in str(error):
                raise InputError(
                    f"{self.path}: is locked: another process writes it; wait for that, or, if the file system knows"
                    " no locks, set HDF5_USE_FILE_LOCKING=FALSE"
                ) from error
            raise self.refusal(f"not a readable HDF5 file ({reason_of(error)})") from error
        except Exception as error:  # a damaged file makes h5py raise anything: RuntimeError, ValueError ...
            raise self.refusal(f"not a readable HDF5 file ({reason_of(error)})") from error

    def _refuse_endless_heaps(self) -> None:
        layout = self._file.id.get_create_plist()
        if layout.get_userblock() or layout.get_sizes() != (8, 8):
            raise self.refusal("has a user block, or lengths that are not of 8 bytes, as no file of this project")
        if (place := damaged_heap(self.path)) is not None:
            raise self.refusal(f"the heap of its texts at byte {place} is damaged")

    def _refuse_bomb(self) -> None:
        size, in_memory = self.path.stat().st_size, sum(stored.n_bytes for stored in self.datasets.values())
        if in_memory > INFLATION_FREE + INFLATION * size:
            raise self.refusal(f"{size:,} bytes would inflate to {in_memory:,}, over {INFLATION} times as many")

    def refusal(self, what: str) -> InputError:
        """An error about this file that ends with the remedy."""
        return InputError(f"{self.path}: {what}; {self.remedy}")

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Whatever h5py raises in the block means that `what` is damaged.

        Raises:
            InputError: something was raised.
        """
        try:
            yield
        except InputError:
            raise
        except _NoPluginError as missing:
            raise InputError(f"{self.path}: {missing}") from None
        except _ForeignError as refused:
            raise self.refusal(str(refused)) from None
        except Exception as error:
            raise self.refusal(f"{what} cannot be read ({reason_of(error)})") from error

    def attribute(self, name: str, group: str = "/") -> Any:
        """An attribute of a group; None if there is no such attribute or no such group.

        Raises:
            InputError: it cannot be read.
        """
        with self.reading(f"attribute {name!r} of {group}"):
            attributes = self._file[group].attrs if group in self._file else None
            if attributes is None or name not in attributes:
                return None
            stored = attributes.get_id(name)
            is_one = stored.get_space().get_simple_extent_type() == h5s.SCALAR
            if not is_one or stored.get_type().get_class() not in _ATTRIBUTES:
                raise _ForeignError(f"attribute {name!r} of {group} is neither a text nor a number")
            return attributes[name]

    def read(self, dataset: str, rows: slice | npt.NDArray[Any] = np.s_[:]) -> npt.NDArray[Any]:
        """A dataset by its path, or the part of it that `rows` selects.

        Raises:
            InputError: there is none, or it is damaged.
        """
        if dataset not in self.datasets:
            raise self.refusal(f"dataset {dataset} is missing")
        with self.reading(f"dataset {dataset}"):
            if dataset not in self._opened:  # to look one up takes as long as to read a chunk of it
                self._opened[dataset] = self._sound(self._file[dataset])
            array: npt.NDArray[Any] = self._opened[dataset][rows]
            return array

    def _sound(self, dataset: h5py.Dataset) -> h5py.Dataset:
        if wrong := misfit(self.path, dataset):
            raise _ForeignError(f"dataset {dataset.name[1:]} {wrong}")
        return dataset

    def place(self, dataset: str) -> int | None:
        """Where the values of a dataset start in the file, bytes; None if they do not lie in one piece."""
        with self.reading(f"dataset {dataset}"):
            place: int | None = self._file[dataset].id.get_offset()
            return place

    def close(self) -> None:
        """Close the file."""
        self._opened.clear()
        self._file.close()

    def __enter__(self) -> Self:
        """The input itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()


class _ForeignError(Exception):
    """What no file of this project has."""


class _NoPluginError(Exception):
    """A filter whose package is not installed."""


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What a dataset may have, as in `Hdf5Input`."""

    filters: tuple[int, ...]
    plugins: tuple[int, ...]
    types: tuple[int, ...]
    chunk_bytes: int


def _survey(root: h5g.GroupID, allowed: _Allowed) -> Iterator[tuple[str, Stored]]:
    """Paths of all datasets; by h5py's low-level objects, as its others take several times as long."""
    waiting: list[tuple[str, h5g.GroupID]] = [("", root)]
    objects = 0
    while waiting:
        prefix, group = waiting.pop()
        for name in group:
            objects += 1
            path = prefix + name.decode()
            if objects > MOST_OBJECTS or path.count("/") >= DEEPEST:  # hard links can make a circle
                raise _ForeignError(f"{path[:100]}: over {MOST_OBJECTS} objects, or {DEEPEST} groups deep")
            if kind := _LINKS.get(group.links.get_info(name).type):
                raise _ForeignError(f"{path} is {kind}")
            item = h5o.open(group, name)
            if isinstance(item, h5g.GroupID):
                waiting.append((f"{path}/", item))
            else:
                yield path, _stored(path, item, allowed)


def _stored(path: str, item: Any, allowed: _Allowed) -> Stored:
    """Shape and type of a dataset that lies in the file and needs no foreign code to be read."""
    if not isinstance(item, h5d.DatasetID):
        raise _ForeignError(f"{path} is neither group nor dataset")
    how = item.get_create_plist()
    if how.get_layout() == h5d.VIRTUAL:
        raise _ForeignError(f"dataset {path} is virtual: its values lie in other files")
    if how.get_external_count():
        raise _ForeignError(f"dataset {path} has external storage: its values lie in other files")
    filters = [how.get_filter(i)[0] for i in range(how.get_nfilters())]
    if (packed := set(filters) & set(allowed.plugins)) and not hdf5_plugins.installed():
        name = hdf5_plugins.PLUGINS[packed.pop()]
        raise _NoPluginError(f"dataset {path} is compressed with {name}; {hdf5_plugins.REMEDY}")
    if strange := [number for number in filters if number not in allowed.filters + allowed.plugins]:
        raise _ForeignError(f"dataset {path} needs the HDF5 filter {strange[0]}, which is not one of h5py's own")
    if hdf5_plugins.packs_twice(filters):
        raise _ForeignError(f"dataset {path} is packed twice, so nobody knows what it would unpack to")
    if item.get_type().get_class() not in allowed.types:
        raise _ForeignError(f"dataset {path} holds no numbers")
    if how.get_layout() == h5d.CHUNKED:
        n_bytes = math.prod(how.get_chunk()) * item.get_type().get_size()
        if n_bytes > allowed.chunk_bytes:
            raise _ForeignError(
                f"dataset {path} is read in chunks of {n_bytes:,} bytes, want {allowed.chunk_bytes:,} at most; write"
                " it in smaller ones (h5repack -l CHUNK=...)"
            )
    return Stored(item.shape, item.dtype)
