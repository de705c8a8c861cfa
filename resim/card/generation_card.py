"""The generation card: YAML in, frozen and checked models out. Unknown keys are errors."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, PositiveFloat, model_validator

from resim.card.jet_settings import JetSettings
from resim.common.cards import CardModel, find_file, parse_card, read_yaml
from resim.common.units import TAU

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Prongs = Annotated[int, Field(ge=0, le=5)]
"""Charged hadrons of a tau decay; 0 for the leptonic ones."""
ScaleFactor = Annotated[float, Field(ge=0.1**0.5, le=10**0.5)]
"""Factor on mu_R; Pythia takes its square and allows 0.1 ... 10."""
Freeze = Literal["hard_scatter", "parton_shower", "hadronization"]
_SHARING_SHOWER: Final = ("parton_shower", "hadronization")

DEFAULT_CARDS: Final = {"pythia8": Path("cards/pythia/monash.cmnd"), "herwig7": Path("cards/herwig/default.in")}
"""Settings of a generator that the card leaves to us."""


class Source(CardModel):
    """One LHE file and what of it becomes a row."""

    lhe: Path
    """LHE file, plain or gzipped"""
    rows: dict[int, Name | dict[Prongs, Name]] = Field(min_length=1)
    """|PDG id| of the hard parton or resonance → label; for tau leptons (15) number of charged hadrons → label"""

    @model_validator(mode="after")
    def _positive_ids(self) -> Self:
        if bad := [pdg_id for pdg_id in self.rows if pdg_id <= 0]:
            raise ValueError(f"PDG ids {bad} must be positive: particle and antiparticle share a label")
        if bad := [pdg_id for pdg_id, label in self.rows.items() if isinstance(label, dict) and pdg_id != TAU]:
            raise ValueError(f"PDG ids {bad}: only tau leptons (15) have labels by the number of charged hadrons")
        return self

    @property
    def labels(self) -> set[str]:
        """All labels of the source."""
        return {
            name for label in self.rows.values() for name in (label.values() if isinstance(label, dict) else [label])
        }


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

    generator: Literal["pythia8", "herwig7"] = "pythia8"
    card: Path | None = None
    """settings of the generator, physics only; None: the parent's, or the one that ships for the generator"""
    model: Literal["simple", "vincia"] = "simple"
    """Pythia's simple shower, or Vincia's antennae (about 15 times as slow)"""
    settings: tuple[str, ...] = ()
    """more Pythia settings, applied after the card's, as in `TimeShower:renormMultFac = 0.707`"""
    mu_r_fsr: ScaleFactor = 1.0
    """factor on the renormalization scale mu_R of final-state radiation"""
    mu_r_isr: ScaleFactor = 1.0
    """factor on the renormalization scale mu_R of initial-state radiation"""

    @model_validator(mode="after")
    def _only_pythia(self) -> Self:
        fields = {name: field.default for name, field in type(self).model_fields.items()}
        odd = [name for name in fields.keys() - {"generator", "card"} if getattr(self, name) != fields[name]]
        if self.generator != "pythia8" and odd:
            raise ValueError(f"{sorted(odd)} are Pythia's; say it in the card of {self.generator}")
        return self


class PileUp(CardModel):
    """Pile-up, for a Delphes card with a PileUpMerger."""

    mu: float = Field(ge=0, le=1000)
    """mean number of pile-up collisions in an event (Poisson), in place of the card's; Delphes' cards end at 1000"""
    pool: Path
    """minimum-bias events, made with `resim pileup`"""


class Detector(CardModel):
    """The detector stage."""

    card: Path | None = None
    """Delphes card; None: that of the detector that this one changes, the parent's or the card's"""
    pileup: PileUp | None = None
    """None for cards without a PileUpMerger"""
    backend: Literal["resim", "delphes"] = "resim"
    """what runs the card: resim itself, or real Delphes (`DelphesHepMC3` on PATH)"""

    @model_validator(mode="after")
    def _pileup_by_resim(self) -> Self:
        if self.pileup is not None and self.backend != "resim":
            raise ValueError(f"pileup is mixed in by resim alone, not by backend {self.backend}")
        return self


NO_DETECTOR: Final = "none"
"""Jets of generator particles."""


def _none_or_mapping(value: Any) -> Any:
    if isinstance(value, str) and value != NO_DETECTOR:
        raise ValueError(f"want {NO_DETECTOR}, or {{card: FILE}} with a Delphes card")
    return value


DetectorStage = Annotated[Detector | Literal["none"], BeforeValidator(_none_or_mapping)]


class View(CardModel):
    """A view: the parent's name, the stage up to which it shares the parent's state, and what changes after it."""

    parent: Name | None = Field(None, alias="from")
    freeze: Freeze | None = None
    shower: Shower | None = None
    detector: DetectorStage | None = None
    """None: as the parent, or as the card says"""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.parent is None) != (self.freeze is None):
            raise ValueError("`from` and `freeze` go together; a view without both is the root")
        if self.freeze in _SHARING_SHOWER and self.shower is not None:
            raise ValueError(f"a view that freezes the {self.freeze} cannot change the `shower`")
        return self


class GenerationCard(CardModel):
    """A generation card, DESIGN section 3."""

    sources: list[Source] = Field(min_length=1)
    select: Selection = Selection()
    views: dict[Name, View] = Field(min_length=1)
    detector: DetectorStage = NO_DETECTOR
    """of every view that does not say otherwise"""
    jets: JetSettings = JetSettings()
    max_failures: float = Field(0.02, ge=0, le=1)
    """fraction of a view's rows that the generator may give up before the run is stopped"""

    @model_validator(mode="after")
    def _one_tree(self) -> Self:
        roots = [name for name, view in self.views.items() if view.parent is None]
        if len(roots) != 1:
            raise ValueError(f"views: want exactly one root (a view without `from`), found {roots}")
        for name, view in self.views.items():
            self._lineage(name)
            self._check_freeze(name, view)
        return self

    def _check_freeze(self, name: str, view: View) -> None:
        shower = self.shower_of(name)
        generator = shower.generator
        if shower.model == "vincia" and (shower.mu_r_fsr, shower.mu_r_isr) != (1.0, 1.0):
            raise ValueError(
                f"views.{name}: mu_r_fsr and mu_r_isr are those of the simple shower; give Vincia's own factors,"
                " such as Vincia:renormMultFacEmitF, in `settings`"
            )
        if view.freeze == "parton_shower" and generator != "pythia8":
            raise ValueError(f"views.{name}: the parton level of {generator} cannot be frozen; freeze hard_scatter")
        detector = self.detector_of(name)
        if isinstance(detector, Detector) and detector.card is None:
            raise ValueError(f"views.{name}: its detector has no card; give `detector` one, here or above")
        if detector == NO_DETECTOR and self.jets.vertices and self.jets.vertices.source == "fit":
            raise ValueError(
                f"views.{name}: vertices are fitted to measured tracks; give `detector` a card, or `source: truth`"
            )
        above = self.detector_of(view.parent) if view.parent else None
        if view.freeze == "hadronization" and detector == above == NO_DETECTOR:
            raise ValueError(
                f"views.{name}: freezes the hadronization and no detector follows, so it would equal its parent;"
                " give `detector` a card"
            )

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
        """The shower settings of a view with everything that it inherits from ancestors of the same generator."""
        resolved = Shower()
        for ancestor in reversed(self._lineage(name)):
            if (changes := self.views[ancestor].shower) is not None:
                switches = "generator" in changes.model_fields_set and changes.generator != resolved.generator
                resolved = Shower(**(({} if switches else _given(resolved)) | _given(changes)))
        return resolved

    def resolved(self) -> Self:
        """The same with everything that views inherit written out."""
        views = {}
        for name, view in self.views.items():
            changes: dict[str, Any] = {"detector": self.detector_of(name)}
            changes |= {} if view.freeze in _SHARING_SHOWER else {"shower": self.shower_of(name)}
            views[name] = view.model_copy(update=changes)
        return self.model_copy(update={"views": views})

    def needs_default_card(self, name: str) -> bool:
        """Whether neither the view nor an ancestor of its generator names a card: true where a generator begins."""
        parent = self.views[name].parent
        begins = parent is None or self.shower_of(parent).generator != self.shower_of(name).generator
        return begins and self.shower_of(name).card is None

    def detector_of(self, name: str) -> Detector | Literal["none"]:
        """The detector of a view: the card's, changed by its ancestors and then by the view itself."""
        resolved = self.detector
        for ancestor in reversed(self._lineage(name)):
            own = self.views[ancestor].detector
            if isinstance(own, Detector) and isinstance(resolved, Detector):
                resolved = Detector(**(_given(resolved) | _given(own)))
            elif own is not None:
                resolved = own
        return resolved


def _given(model: CardModel) -> dict[str, Any]:
    return {key: getattr(model, key) for key in model.model_fields_set}


def load_card(path: Path) -> GenerationCard:
    """Read and check a generation card; the files that it names are looked up with `resim.common.cards.find_file`.

    Raises:
        InputError: missing file, YAML error, unknown key, value out of range, or a file that it names is missing.
    """
    card = parse_card(GenerationCard, read_yaml(path), path)
    sources = [source.model_copy(update={"lhe": find_file(source.lhe, path)}) for source in card.sources]
    views = {name: _with_files(view, card.needs_default_card(name), path) for name, view in card.views.items()}
    detector = _with_card(card.detector, path)
    return card.model_copy(update={"sources": sources, "views": views, "detector": detector})


def _with_files(view: View, default_card: bool, path: Path) -> View:
    """The view with every file that it names found."""
    changes: dict[str, Any] = {"detector": _with_card(view.detector, path)}
    shower = view.shower or Shower()
    if shower.card or default_card:
        card = find_file(shower.card or DEFAULT_CARDS[shower.generator], path)
        changes["shower"] = Shower(**(_given(shower) | {"card": card}))
    return view.model_copy(update=changes)


def _with_card(detector: Any, path: Path) -> Any:
    if isinstance(detector, Detector):
        changes: dict[str, Any] = {"card": find_file(detector.card, path)} if detector.card else {}
        if pileup := detector.pileup:
            changes["pileup"] = pileup.model_copy(update={"pool": find_file(pileup.pool, path)})
        return detector.model_copy(update=changes)
    return detector
