"""Open a file of others as the mapping card says."""

from contextlib import AbstractContextManager, closing
from pathlib import Path

from resim.common.errors import InputError
from resim.formats.arrays import Hdf5Arrays, NpzArrays
from resim.formats.containers import Container
from resim.formats.mapping_card import ContainerCard
from resim.formats.pandas_frame import PandasFrame
from resim.formats.tables import ParquetTable, RootTree


def opened(path: Path, card: ContainerCard) -> AbstractContextManager[Container]:
    """The file, to be used in a `with` statement.

    Raises:
        InputError: it is missing, unreadable, or of another kind.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; correct the path")
    return closing(_container(path, card))


def _container(path: Path, card: ContainerCard) -> Container:
    if card.kind == "root":
        return RootTree(path, str(card.tree))
    if card.kind == "parquet":
        return ParquetTable(path)
    if card.kind == "hdf5":
        return Hdf5Arrays(path)
    if card.kind == "npz":
        return NpzArrays(path)
    return PandasFrame(path, card.key)
