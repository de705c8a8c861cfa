"""Files of others as columns: every kind gives batches of named arrays, and says what is wrong in one line."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from resim.common.cards import CardModel
from resim.common.errors import InputError, reason_of


@dataclass(frozen=True, slots=True)
class Ragged:
    """A column with several entries a jet."""

    counts: npt.NDArray[np.int64]
    """int64 `(n_jets,)`"""
    values: npt.NDArray[Any]
    """`(counts.sum(),)`"""


Values = npt.NDArray[Any] | Ragged
"""`(n_jets,)` of jets; `(n_jets, n)`, `(n_jets, n, n_features)` padded, or ragged."""
Batch = dict[str, Values]
"""Arrays of some consecutive jets by their names."""


class Container(Protocol):
    """An open file; a context manager."""

    @property
    def names(self) -> Sequence[str]:
        """What it holds."""

    def n_entries(self, names: Sequence[str]) -> int:
        """Number of jets in the arrays with these names.

        Raises:
            InputError: there is no such array, or they are not of one length.
        """

    def batches(self, names: Sequence[str], stop: int, size: int) -> Iterator[Batch]:
        """The arrays with these names, for jets `0:stop`; exactly `size` jets at a time but the last time."""

    def close(self) -> None:
        """Close the file."""


class Reader(ABC):
    """Base of the readers that installed packages add: a `Container` of a whole file that they read at once.

    Attributes:
        section: the model of the section `container` of a mapping card.

    Args:
        path: the file, which exists.
        card: its section.
    """

    section: ClassVar[type[CardModel]]

    def __init__(self, path: Path, card: Any) -> None:
        self.path = path
        with reading(path, str(card.kind)):
            self.columns = {name: _checked(name, values) for name, values in self.read(path, card).items()}

    @abstractmethod
    def read(self, path: Path, card: Any) -> Mapping[str, Values]:
        """All columns by their names, of equal numbers of jets; whatever is raised means a damaged file."""

    @property
    def names(self) -> Sequence[str]:
        """What it holds."""
        return list(self.columns)

    def n_entries(self, names: Sequence[str]) -> int:
        """Number of jets in the arrays with these names.

        Raises:
            InputError: there is no such array, or they are not of one length.
        """
        check_names(self.path, names, self.names)
        return common_length(self.path, {name: _length(self.columns[name]) for name in names})

    def batches(self, names: Sequence[str], stop: int, size: int) -> Iterator[Batch]:
        """The arrays with these names, for jets `0:stop`; `size` jets at a time but the last time."""
        for start in range(0, stop, size):
            end = min(start + size, stop)
            yield {name: _part(self.columns[name], start, end) for name in names}

    def close(self) -> None:
        """Let go of the columns."""
        self.columns = {}


def _checked(name: str, values: Values) -> Values:
    """Raise a `TypeError` or a `ValueError` if a column is none."""
    arrays = (values.counts, values.values) if isinstance(values, Ragged) else (values,)
    if not all(isinstance(array, np.ndarray) and array.ndim for array in arrays):
        raise TypeError(f"column {name} is no array, as the reader should make of it")
    if isinstance(values, Ragged) and values.counts.sum() != len(values.values):
        raise ValueError(f"column {name} has {len(values.values)} values, its counts say {values.counts.sum()}")
    return values


def _length(values: Values) -> int:
    return len(values.counts if isinstance(values, Ragged) else values)


def _part(values: Values, start: int, end: int) -> Values:
    if not isinstance(values, Ragged):
        return values[start:end]
    first, last = values.counts[:start].sum(), values.counts[:end].sum()
    return Ragged(values.counts[start:end], values.values[first:last])


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Whatever a library raises in the block means that the file is damaged, or of another kind.

    Raises:
        InputError: something was raised.
    """
    try:
        yield
    except (InputError, ModuleNotFoundError):
        raise
    except Exception as error:  # libraries raise anything on damaged files
        raise InputError(f"{path}: not a readable {kind} file ({reason_of(error)}); fetch it again") from error


def common_length(path: Path, lengths: Mapping[str, int]) -> int:
    """The length of arrays that have one entry a jet, from name → length.

    Raises:
        InputError: they differ.
    """
    (first, length), *others = lengths.items()
    if odd := [name for name, other in others if other != length]:
        raise InputError(
            f"{path}: {first} has {length} entries, {odd[0]} has {lengths[odd[0]]}; want one a jet; correct the"
            " mapping card"
        )
    return length


def check_names(path: Path, names: Sequence[str], available: Sequence[str]) -> None:
    """Refuse a file that lacks something.

    Raises:
        InputError: a name is missing.
    """
    if missing := [name for name in names if name not in available]:
        some = ", ".join(list(available)[:8]) + (" ..." if len(available) > 8 else "")
        raise InputError(f"{path}: has no column {missing[0]!r}, but {some}; correct the mapping card (--columns)")
