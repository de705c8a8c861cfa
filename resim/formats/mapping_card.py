"""The mapping card: where a file of others keeps its jets, in which units and under which conventions."""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import ConfigDict, Field, PositiveFloat, create_model, field_validator, model_validator

from resim.card.jet_settings import JetSettings, Radius, SoftDropCut
from resim.common import plugins
from resim.common.cards import CardModel, parse_card, read_yaml
from resim.common.errors import InputError
from resim.common.shipped import shipped_root
from resim.formats.columns_card import Column, ColumnsCard, array_of


class ContainerSection(CardModel):
    """Base of the section `container`, whose `kind` says what reads the file; of packages, each key has a default."""

    model_config = ConfigDict(use_attribute_docstrings=True)  # what `resim readers` says of an option


class ContainerCard(ContainerSection):
    """What kind of file it is."""

    kind: Literal["root", "parquet", "hdf5", "npz", "pandas"]
    """pandas: HDF5 as `DataFrame.to_hdf` writes it; its columns E_0, E_1, ... are the array E"""
    tree: str | None = None
    """root: name of the tree"""
    key: str = "table"
    """pandas: name under which the frame is kept"""

    @model_validator(mode="after")
    def _tree_of_root(self) -> "ContainerCard":
        if (self.tree is not None) != (self.kind == "root"):
            raise ValueError(f"kind {self.kind} with tree {self.tree}: a ROOT file needs a tree, others have none")
        return self


KINDS: Final = get_args(ContainerCard.model_fields["kind"].annotation)
"""What we read ourselves."""
READERS: Final = "jetssl.readers"
"""Group of the entry points of readers: subclasses of `resim.formats.containers.Container`."""


class PaddingCard(CardModel):
    """Which entries of arrays of fixed length are no constituents."""

    columns: tuple[Column, ...] = Field(min_length=1)
    """an entry is padding if all of these have `value`"""
    value: float = 0.0


class LabelsCard(CardModel):
    """The class of a jet, by name. One of `flags`, `column` with `names`, `column` alone (it holds names), `all`."""

    flags: dict[Column, str] | None = None
    """column → class; exactly one of them is not 0"""
    column: Column | None = None
    names: dict[int, str] | None = None
    """value of `column` → class"""
    all: str | None = None
    """every jet is of this class, e.g. `data`"""
    unlabelled: Literal["refuse", "leave_out"] = "refuse"
    """jets with none of `flags`"""

    @model_validator(mode="after")
    def _one_way(self) -> "LabelsCard":
        ways = [way for way in ("flags", "column", "all") if getattr(self, way) is not None]
        if len(ways) != 1 or (self.names is not None and self.column is None):
            raise ValueError(f"{ways or 'nothing'} given, want one of flags, column (with names) and all")
        if self.unlabelled == "leave_out" and self.flags is None:
            raise ValueError("unlabelled: leave_out is for labels by flags")
        return self

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns that are read."""
        return tuple(self.flags or ()) + ((self.column,) if self.column else ())


class ViewsCard(CardModel):
    """Files that hold pairs: entry 2k is the root view of a jet, entry 2k + 1 another view of the same jet."""

    column: Column
    """says which view an entry is"""
    names: dict[int, str] = Field(min_length=2)
    """its value → name of the view, root first"""


class SubstructureCard(CardModel):
    """How soft-drop mass and N-subjettiness are computed where the file has none."""

    radius: Radius = 0.8
    """of the jets in the file"""
    softdrop_z_cut: SoftDropCut = 0.1
    softdrop_beta: float = 0.0
    """soft drop of arXiv:1402.2657"""
    nsubjettiness_beta: PositiveFloat = 1.0
    """angular exponent of N-subjettiness, arXiv:1011.2268"""


class ClusterCard(CardModel):
    """Entries of the file are events: their constituents are clustered, and the hardest jets become rows."""

    algorithm: Literal["antikt", "cambridge", "kt"] = "antikt"
    radius: Radius
    pt_min: float = Field(ge=0)
    """GeV"""
    abs_eta_max: float = Field(2.5, gt=0)
    leading: int = Field(2, ge=1)
    """jets of an event that become rows, by descending pT"""

    @property
    def settings(self) -> JetSettings:
        """The same for `resim.jets.clustering`."""
        return JetSettings(**self.model_dump(exclude={"leading"}))


class MappingCard(CardModel):
    """How to read the jets of others."""

    name: str
    """what the files are, for the provenance"""
    container: ContainerCard | ContainerSection
    padding: PaddingCard | None = None
    """none: every entry is a constituent, as in ragged files"""
    labels: LabelsCard
    columns: ColumnsCard
    views: ViewsCard | None = None
    """none: every entry is a row, in the one view `nominal`"""
    cluster: ClusterCard | None = None
    """none: every entry is a jet, or with `axis: beam` an event"""
    axis: Literal["jet", "beam"] = "jet"
    """beam: entries are events, whose objects stand for constituents. The axis is eta = 0, phi = 0, so directions are
    those in the laboratory, and pT is the scalar sum; there is no substructure"""
    substructure: SubstructureCard = SubstructureCard()

    @model_validator(mode="after")
    def _events_are_no_jets(self) -> "MappingCard":
        if self.cluster is not None and (self.views or self.columns.jets.columns or self.columns.momenta.relative):
            raise ValueError(
                "cluster: entries are events, which have no views, no jets and no momenta relative to one"
            )
        if (self.labels.unlabelled == "leave_out" or self.columns.vertices) and (self.cluster or self.views):
            raise ValueError(
                "labels.unlabelled: leave_out, and columns.vertices, want one jet an entry: no cluster, no views"
            )
        return self

    @model_validator(mode="after")
    def _one_kind_of_events(self) -> "MappingCard":
        if self.axis == "beam" and (self.cluster or self.columns.jets.columns or self.columns.momenta.relative):
            raise ValueError("axis beam: objects of an event are not clustered, and there is no jet that they are of")
        return self

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.isprintable() or not name:
            raise ValueError("want printable characters")
        return name

    def of_one_class(self, label: str) -> "MappingCard":
        """The card for files of one class, whatever it says of classes.

        Raises:
            InputError: the class has no name that could be read.
        """
        if not (label.strip() and label.isprintable()):
            raise InputError(f"--label {label!r}: want the name of a class, printable characters")
        return self.model_copy(update={"labels": LabelsCard(all=label)})

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of all arrays that are read, each once."""
        parts, views = self.columns, self.views
        names = [*(self.padding.columns if self.padding else ()), *self.labels.columns]
        names += [*parts.momenta.columns.values(), *parts.particles.columns, *parts.jets.columns.values()]
        for part in (parts.displacements, parts.vertices):
            names += part.columns.values() if part else ()
        names += [views.column] if views else []
        return tuple(dict.fromkeys(array_of(name) for name in names))

    @property
    def entries(self) -> Literal["jets", "events"]:
        """What the entries of the files are."""
        return "jets" if self.cluster is None and self.axis == "jet" else "events"

    @property
    def jet_settings(self) -> JetSettings:
        """For the substructure that is computed."""
        radius = {} if self.cluster is None else {"radius": self.cluster.radius}
        return JetSettings(**self.substructure.model_dump() | radius)

    @property
    def missing(self) -> list[str]:
        """What the files do not say about constituents, in words; it is 0 in the pair file."""
        found, displacements = [], self.columns.displacements
        if not self.columns.particles.columns:
            found.append("charge and type")
        if displacements is None:
            found.append("impact parameters")
        elif not displacements.with_errors:
            found.append("errors of impact parameters")
        return found


def mapping_card(name: str | None, path: Path | None) -> MappingCard:
    """The shipped card of a format, or a card of the user's own.

    Args:
        name: of a card in `cards/import`.
        path: a card.

    Raises:
        InputError: neither or both are given, there is no such format, or the card is wrong.
    """
    if (name is None) == (path is None):
        raise InputError(
            "give --format, or --columns with a card of your own: one of them says what the columns mean"
        )
    if path is None:
        path = shipped_root() / "cards/import" / f"{name}.yaml"
        if not re.fullmatch(r"\w+", name or "") or not path.is_file():
            known = ", ".join(known_formats())
            raise InputError(f"--format {name}: unknown, known are {known}; write a card and give it as --columns")
    raw = read_yaml(path)
    return parse_card(_specialized(_kind_of(raw, path)), raw, path)


def _kind_of(raw: Any, path: Path) -> str:
    """The kind of file that a card names, which decides what keys `container` may have.

    Raises:
        InputError: nothing that is installed reads it.
    """
    section = raw.get("container") if isinstance(raw, dict) else None
    kind = section.get("kind", "root") if isinstance(section, dict) else "root"
    known = (*KINDS, *plugins.names(READERS))
    if kind not in known:
        raise InputError(
            f"{path}: container.kind: {kind!r}: want one of {', '.join(known)}, or install the package that reads it"
        )
    return str(kind)


@cache
def _specialized(kind: str) -> type[MappingCard]:
    """`MappingCard` with the container of one kind."""
    section = ContainerCard if kind in KINDS else plugins.section_of(READERS, kind, ContainerSection, "kind")
    return create_model("MappingCard", __base__=MappingCard, container=(section, ...))


def known_formats() -> list[str]:
    """Names of the shipped mapping cards, sorted."""
    return sorted(path.stem for path in (shipped_root() / "cards/import").glob("*.yaml"))
