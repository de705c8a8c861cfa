"""The generation card: YAML in, frozen and checked models out. Unknown keys are errors."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from resim.cards import CardModel, find_file, parse_card, read_yaml

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
ScaleFactor = Annotated[float, Field(ge=0.1**0.5, le=10**0.5)]
"""Factor on mu_R; Pythia takes its square and allows 0.1 ... 10."""
Freeze = Literal["hard_scatter", "parton_shower"]


class Source(CardModel):
    """One LHE file and what of it becomes a row."""

    lhe: Path
    """LHE file, plain or gzipped"""
    rows: dict[int, Name] = Field(min_length=1)
    """|PDG id| of the hard parton or resonance → label"""

    @model_validator(mode="after")
    def _positive_ids(self) -> Self:
        if bad := [pdg_id for pdg_id in self.rows if pdg_id <= 0]:
            raise ValueError(f"PDG ids {bad} must be positive: particle and antiparticle share a label")
        return self


class Selection(CardModel):
    """Cuts on the frozen parton, the same in every view."""

    parton_pt_min: float = Field(0.0, ge=0)
    """GeV"""
    parton_pt_max: PositiveFloat | None = None
    """GeV; None for no upper limit"""
    parton_abs_eta_max: PositiveFloat | None = None
    """pseudorapidity; None for no limit"""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.parton_pt_max is not None and self.parton_pt_min >= self.parton_pt_max:
            raise ValueError(f"parton_pt_min {self.parton_pt_min} must be below parton_pt_max {self.parton_pt_max}")
        return self


class Shower(CardModel):
    """Parton shower, multiparton interactions and hadronization."""

    generator: Literal["pythia8"] = "pythia8"
    card: Path = Path("cards/pythia/monash.cmnd")
    """Pythia settings: physics only"""
    model: Literal["simple", "vincia"] = "simple"
    """Pythia's simple shower, or Vincia's antennae (about 15 times as slow)"""
    settings: tuple[str, ...] = ()
    """more Pythia settings, applied after the card's, as in `TimeShower:renormMultFac = 0.707`"""
    mu_r_fsr: ScaleFactor = 1.0
    """factor on the renormalization scale mu_R of final-state radiation"""
    mu_r_isr: ScaleFactor = 1.0
    """factor on the renormalization scale mu_R of initial-state radiation"""


class View(CardModel):
    """A view: the parent's name, the stage up to which it shares the parent's state, and what changes after it."""

    parent: Name | None = Field(None, alias="from")
    freeze: Freeze | None = None
    shower: Shower | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.parent is None) != (self.freeze is None):
            raise ValueError("`from` and `freeze` go together; a view without both is the root")
        if self.freeze == "parton_shower" and self.shower is not None:
            raise ValueError("a view that freezes the parton_shower cannot change the `shower`")
        return self


class Jets(CardModel):
    """Jet clustering and matching. Keep the cuts loose: rows are selected on the parton."""

    algorithm: Literal["antikt", "cambridge", "kt"] = "antikt"
    radius: float = Field(0.8, gt=0, le=10)
    pt_min: float = Field(200.0, ge=0)
    """GeV"""
    abs_eta_max: float = Field(2.5, gt=0)
    """pseudorapidity of the jet"""
    match_delta_r: PositiveFloat = 0.8
    """largest distance in (rapidity, azimuth) between a parton and its jet"""


class GenerationCard(CardModel):
    """A generation card, DESIGN section 3."""

    sources: list[Source] = Field(min_length=1)
    select: Selection = Selection()
    views: dict[Name, View] = Field(min_length=1)
    detector: Literal["none"] = "none"
    """particle level; the detector stage is not part of this version"""
    jets: Jets = Jets()

    @model_validator(mode="after")
    def _one_tree(self) -> Self:
        roots = [name for name, view in self.views.items() if view.parent is None]
        if len(roots) != 1:
            raise ValueError(f"views: want exactly one root (a view without `from`), found {roots}")
        for name in self.views:
            self._lineage(name)
        return self

    def _lineage(self, name: str) -> list[str]:
        lineage = [name]
        while (parent := self.views[lineage[-1]].parent) is not None:
            if parent not in self.views:
                raise ValueError(f"views.{lineage[-1]}: parent {parent!r} is none of {list(self.views)}")
            if parent in lineage:
                raise ValueError(f"views.{name}: the tree has a loop through {parent!r}")
            lineage.append(parent)
        return lineage

    def shower_of(self, name: str) -> Shower:
        """The shower settings of a view with everything that it inherits from its ancestors."""
        resolved = Shower()
        for ancestor in reversed(self._lineage(name)):
            if (changes := self.views[ancestor].shower) is not None:
                resolved = resolved.model_copy(
                    update={key: getattr(changes, key) for key in changes.model_fields_set}
                )
        return resolved


def load_card(path: Path) -> GenerationCard:
    """Read and check a generation card; the files that it names are looked up with `resim.cards.find_file`.

    Raises:
        InputError: missing file, YAML error, unknown key, value out of range, or a file that it names is missing.
    """
    card = parse_card(GenerationCard, read_yaml(path), path)
    sources = [source.model_copy(update={"lhe": find_file(source.lhe, path)}) for source in card.sources]
    views = {name: _with_shower_card(view, path) for name, view in card.views.items()}
    return card.model_copy(update={"sources": sources, "views": views})


def _with_shower_card(view: View, path: Path) -> View:
    shower = view.shower or Shower()
    if view.parent is not None and "card" not in shower.model_fields_set:
        return view
    return view.model_copy(update={"shower": shower.model_copy(update={"card": find_file(shower.card, path)})})
