"""The mapping card: where a file of others keeps its jets, in which units and under which conventions."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveFloat, field_validator, model_validator

from resim.card.jet_settings import JetSettings, Radius, SoftDropCut
from resim.common.cards import CardModel, parse_card, read_yaml
from resim.common.errors import InputError
from resim.common.shipped import shipped_root
from resim.formats.columns_card import Column, ColumnsCard, array_of


class ContainerCard(CardModel):
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
    container: ContainerCard
    padding: PaddingCard | None = None
    """none: every entry is a constituent, as in ragged files"""
    labels: LabelsCard
    columns: ColumnsCard
    views: ViewsCard | None = None
    """none: every entry is a row, in the one view `nominal`"""
    cluster: ClusterCard | None = None
    """none: every entry is a jet"""
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

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.isprintable() or not name:
            raise ValueError("want printable characters")
        return name

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
        return "jets" if self.cluster is None else "events"

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
    return parse_card(MappingCard, read_yaml(path), path)


def known_formats() -> list[str]:
    """Names of the shipped mapping cards, sorted."""
    return sorted(path.stem for path in (shipped_root() / "cards/import").glob("*.yaml"))
