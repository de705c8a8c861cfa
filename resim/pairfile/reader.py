"""Read pair files: columns by name, never assuming an order of rows."""

from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from resim.card.view_plan import ViewRecord
from resim.common.errors import InputError, reason_of
from resim.common.hdf5_input import Hdf5Input
from resim.common.hdf5_plugins import ZSTD
from resim.common.ragged import owners_of
from resim.pairfile import schema
from resim.pairfile.layout import LayoutError, expected_layout, layout_faults
from resim.pairfile.places import identity_of_place
from resim.pairfile.provenance import Provenance
from resim.pairfile.row_block import RowBlock

Array = npt.NDArray[Any]
T = TypeVar("T")
_NAMES: Final = TypeAdapter(list[str])
_SETTINGS: Final = TypeAdapter(dict[str, Any])
_REMEDY: Final = "generate the file again"

_EQUAL_WEIGHTS: Final = 1e-6
"""Largest relative difference of weights that count as equal: LHE files carry 7 digits."""


class PairFile(Hdf5Input):
    """A pair file opened for reading; a context manager.

    Raises:
        InputError: the file is missing, not HDF5, not a pair file, of another schema version, damaged, or its
            datasets are not all there, of the right type and length, and in the file itself.
    """

    plugins = (ZSTD,)

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        if not path.is_file():
            raise InputError(f"{path}: no such pair file; make one with `resim generate CARD -o {path.name}`")
        super().__init__(path, _REMEDY)
        try:
            self._refuse_other_schema()
            expected = expected_layout(self.datasets, self.layout)
            if faults := list(layout_faults(self.datasets, expected)):
                raise LayoutError(self.path, faults)
        except InputError:
            self.close()
            raise
        self.strangers = [path for path in self.datasets if path not in expected]

    def _refuse_other_schema(self) -> None:
        name, version = self.attribute("schema"), self.attribute("schema_version")
        if name != schema.SCHEMA:
            raise InputError(
                f"{self.path}: schema is {name!r}, want {schema.SCHEMA!r}; is it a pair file? `resim import` makes"
                " one of jets of others"
            )
        if version not in schema.READABLE:
            raise InputError(
                f"{self.path}: schema version {version}, this resim reads versions {schema.READABLE};"
                " generate the file again or install the resim that wrote it"
            )

    def __len__(self) -> int:
        """Number of rows."""
        return self.length("hard_scatter/event")

    @cached_property
    def version(self) -> int:
        """Schema version of the file."""
        return int(self.attribute("schema_version"))

    @cached_property
    def rounded(self) -> bool:
        """Whether constituents were rounded when the file was written (`resim.pairfile.rounding`)."""
        return bool(self.attribute("rounded"))

    @property
    def layout(self) -> schema.Layout:
        """Which datasets the file has."""
        weights = schema.WEIGHT_OFFSETS.name in self.datasets
        return schema.Layout(tuple(self.view_names), self.version, self.has_vertices, weights, self.has_cells)

    @cached_property
    def weight_names(self) -> tuple[str, ...] | None:
        """Names of the weights of events that are kept beside XWGTUP: id and meaning; None if none are."""
        if not self.layout.weights:
            return None
        try:
            return tuple(_NAMES.validate_json(self.read(schema.WEIGHT_NAMES.name).tobytes()))
        except ValidationError as error:
            raise self.refusal(f"dataset {schema.WEIGHT_NAMES.name} is damaged") from error

    def event_weight(self, name: str) -> npt.NDArray[np.float64]:
        """One of the weights beside XWGTUP, `(n_rows,)`; NaN for rows whose event does not have it.

        Args:
            name: its name, or its id, with which the name begins.

        Raises:
            InputError: the file keeps no such weight.
        """
        names = self.weight_names or ()
        numbers = [i for i, known in enumerate(names) if name == known or known.split(" ", 1)[0] == name]
        if not numbers:
            kept = f"keeps {', '.join(names[:5])}{' ...' * (len(names) > 5)}" if names else "keeps XWGTUP alone"
            remedy = "generate it with `weights: all` in the card"
            raise InputError(f"{self.path}: no weight {name!r}, it {kept}; {remedy}")
        offsets, number = self.read(schema.WEIGHT_OFFSETS.name), self.read("weights/number")
        wanted = np.flatnonzero(np.isin(number, numbers))
        weights = np.full(len(self), np.nan)
        weights[owners_of(offsets)[wanted]] = self.read("weights/value")[wanted]
        return weights

    @cached_property
    def views(self) -> list[ViewRecord]:
        """The views, root first."""
        return [self._view(name) for name in self._attribute("views", "order", _NAMES)]

    def _view(self, name: str) -> ViewRecord:
        group = f"views/{name}"
        settings = self._attribute(group, "settings", _SETTINGS)
        parent, freeze = (self.attribute(key, group) or None for key in ("parent", "freeze"))
        return ViewRecord(name, parent, freeze, settings)

    def _attribute(self, group: str, name: str, kind: TypeAdapter[T]) -> T:
        """A JSON attribute of a group."""
        try:
            return kind.validate_json(self.attribute(name, group))
        except ValidationError as error:
            raise self.refusal(f"attribute {name!r} of {group} is missing or damaged") from error

    @property
    def view_names(self) -> list[str]:
        """Names of the views, root first."""
        return [view.name for view in self.views]

    @cached_property
    def labels(self) -> list[str]:
        """Class names; `hard_scatter/label` holds indices into this list."""
        return self._attribute("hard_scatter", "labels", _NAMES)

    @cached_property
    def source_hashes(self) -> list[str]:
        """SHA-256 of each source; `hard_scatter/source` holds indices into this list."""
        return self._attribute("hard_scatter", "sources", _NAMES)

    @cached_property
    def provenance(self) -> Provenance:
        """How the file was made.

        Raises:
            InputError: the attribute is missing, does not fit the model, or is about other views.
        """
        try:
            found = Provenance.model_validate_json(self.attribute("provenance"))
        except ValidationError as error:
            raise self.refusal(f"unreadable provenance ({reason_of(error)})") from error
        if list(found.views) != self.view_names:
            raise self.refusal(f"provenance: counts views {list(found.views)}, the file has {self.view_names}")
        return found

    def length(self, path: str) -> int:
        """Number of entries of a dataset."""
        return self.datasets[path].shape[0]

    def hard_scatter(self, name: str) -> Array:
        """A column of `hard_scatter/`, `(n_rows,)`; the identity also of files of version 2."""
        if name == "identity" and self.version < 3:
            source, hashes = self.hard_scatter("source"), self.source_hashes
            if len(source) and not (source.min() >= 0 and source.max() < len(hashes)):
                raise self.refusal(f"hard_scatter/source: {source.max()} is none of {len(hashes)} sources")
            return identity_of_place(hashes, source, self.hard_scatter("event"))
        return self.read(f"hard_scatter/{name}")

    @property
    def weights_differ(self) -> bool:
        """Whether hard scatters of one source count differently: their weights spread, or some are negative."""
        weights, source = self.hard_scatter("weight"), self.hard_scatter("source")
        return any(
            bool((own < 0).any()) or own.max() > own.min() * (1 + _EQUAL_WEIGHTS)
            for own in (weights[source == i] for i in np.unique(source))
        )

    def label_names(self, rows: slice = np.s_[:]) -> npt.NDArray[np.str_]:
        """Class name of every row, `(n_rows,)`, or of the selected ones.

        Raises:
            InputError: a row has a label that the file doesn't name.
        """
        numbers = self.read("hard_scatter/label", rows)
        if len(numbers) == 0:
            return np.empty(0, str)
        if not (numbers.min() >= 0 and numbers.max() < len(self.labels)):
            raise InputError(f"{self.path}: label {numbers.max()} is none of {self.labels}; generate the file again")
        names: npt.NDArray[np.str_] = np.array(self.labels, dtype=str)[numbers]
        return names

    def jets(self, view: str, name: str) -> Array:
        """A jet column of a view, `(n_rows,)`; NaN where the row is invalid."""
        return self.read(f"views/{view}/jets/{name}")

    def valid(self, view: str) -> npt.NDArray[np.bool_]:
        """Whether each row has a jet in the view, `(n_rows,)`."""
        return self.read(f"views/{view}/valid")

    def offsets(self, view: str, rows: slice = np.s_[:]) -> npt.NDArray[np.int64]:
        """Constituent offsets of a view, `(n_rows + 1,)`, or some of them."""
        return self.read(schema.offsets_path(view), rows)

    def constituents(self, view: str, name: str, rows: slice = np.s_[:]) -> Array:
        """A constituent column of a view, all of it or an explicit range of constituents."""
        return self.read(f"views/{view}/constituents/{name}", rows)

    @cached_property
    def has_vertices(self) -> bool:
        """Whether the views have secondary vertices."""
        return any(schema.vertex_offsets_path(view) in self.datasets for view in self.view_names)

    def vertex_offsets(self, view: str, rows: slice = np.s_[:]) -> npt.NDArray[np.int64]:
        """Offsets of the secondary vertices of a view, `(n_rows + 1,)`, or some of them.

        Raises:
            InputError: the file has none.
        """
        if not self.has_vertices:
            raise InputError(f"{self.path}: has no secondary vertices; generate it with `jets.vertices` in the card")
        return self.read(schema.vertex_offsets_path(view), rows)

    def vertices(self, view: str, name: str, rows: slice = np.s_[:]) -> Array:
        """A vertex column of a view, all of it or an explicit range of vertices."""
        return self.read(f"views/{view}/vertices/{name}", rows)

    @cached_property
    def has_cells(self) -> bool:
        """Whether the views have cells, clusters and tracks."""
        return any(schema.group_offsets_path(view, "cells") in self.datasets for view in self.view_names)

    def group_offsets(self, view: str, group: str, rows: slice = np.s_[:]) -> npt.NDArray[np.int64]:
        """Offsets of the `cells`, `clusters` or `tracks` of a view, `(n_rows + 1,)`, or some of them.

        Raises:
            InputError: the file has none.
        """
        if not self.has_cells:
            raise InputError(f"{self.path}: has no {group}; generate it with `jets.cells` in the card")
        return self.read(schema.group_offsets_path(view, group), rows)

    def group(self, view: str, group: str, name: str, rows: slice = np.s_[:]) -> Array:
        """A column of the `cells`, `clusters` or `tracks` of a view, all of it or an explicit range of entries."""
        return self.read(f"views/{view}/{group}/{name}", rows)

    def block(self, start: int, stop: int) -> RowBlock:
        """Rows `start:stop` with all their views."""
        arrays = {path: self.read(path, slice(start, stop)) for path in self.layout.row_columns()}
        for group in self.layout.ragged_groups():
            offsets = self.read(group.offsets, slice(start, stop + 1))
            inside = slice(int(offsets[0]), int(offsets[-1]))
            arrays[group.offsets] = offsets - offsets[0]
            arrays |= {path: self.read(path, inside) for path in group.columns}
        return RowBlock(tuple(self.view_names), arrays)
