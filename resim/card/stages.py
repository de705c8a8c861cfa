"""The stages of the chain that a card describes, and what a change of one inherits from what it changes."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from resim.card.calorimeter_card import is_calorimeter_card
from resim.common import plugins
from resim.common.cards import CardModel, find_file
from resim.common.errors import reason_of

ScaleFactor = Annotated[float, Field(ge=0.1**0.5, le=10**0.5)]
"""Factor on mu_R; Pythia takes its square and allows 0.1 ... 10."""
NO_DETECTOR: Final = "none"
"""Jets of generator particles."""
DEFAULT_CARDS: Final = {"pythia8": Path("cards/pythia/monash.cmnd"), "herwig7": Path("cards/herwig/default.in")}
"""Settings of a generator that the card leaves to us."""


GENERATORS: Final = "resim.generators"
"""Group of the entry points of generators: subclasses of `resim.shower.generator.Generator`."""


class GeneratorSection(CardModel):
    """Base of the options of a generator that a package adds; `name` is its entry point's, each key has a default."""

    model_config = ConfigDict(use_attribute_docstrings=True)  # what `resim generators` says of an option


def _known_generator(name: str) -> str:
    if name not in DEFAULT_CARDS and name not in (added := plugins.names(GENERATORS)):
        known = (*DEFAULT_CARDS, *added)
        raise ValueError(f"want one of {', '.join(known)}, or install the package that has it")
    return name


GeneratorName = Annotated[str, AfterValidator(_known_generator)]
"""Pythia, Herwig, or that of an installed package."""


def generator_options(name: str, options: dict[str, Any]) -> GeneratorSection:
    """What a card says to the generator of a package.

    Raises:
        InputError: no package has it, or what it has is not usable.
        ValidationError: a wrong option.
    """
    return plugins.section_of(GENERATORS, name, GeneratorSection).model_validate(options)


class ShowerSection(CardModel):
    """Parton shower, multiparton interactions and hadronization."""

    generator: GeneratorName = "pythia8"
    """pythia8, herwig7, or that of an installed package (`resim generators`)"""
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
    options: dict[str, Any] = Field(default_factory=dict)
    """of the generator of a package; pythia8 and herwig7 have none"""

    @model_validator(mode="after")
    def _options_of_a_package(self) -> Self:
        if self.generator in DEFAULT_CARDS:
            if self.options and "generator" in self.model_fields_set:  # else the parent's: `view_tree.check`
                raise ValueError(f"{self.generator} has no options; say it in its card")
            return self
        if self.card is not None:
            raise ValueError(f"generator {self.generator!r} of a package reads no card; want `options`")
        try:
            generator_options(self.generator, self.options)
        except ValidationError as error:
            raise ValueError(f"options of {self.generator}: {reason_of(error)}") from error
        return self

    @model_validator(mode="after")
    def _only_pythia(self) -> Self:
        fields = {name: field.default for name, field in type(self).model_fields.items()}
        odd = [
            name for name in fields.keys() - {"generator", "card", "options"} if getattr(self, name) != fields[name]
        ]
        if self.generator != "pythia8" and odd:
            raise ValueError(f"{sorted(odd)} are Pythia's; say it in the card of {self.generator}")
        return self

    def changed_by(self, changes: Self | None) -> Self:
        """This stage with what is given in `changes`; nothing of it remains if those name another generator."""
        if changes is None:
            return self
        same = changes.generator == self.generator or "generator" not in changes.model_fields_set
        return type(self)(**((_given(self) if same else {}) | _given(changes)))

    def with_files(self, card: Path) -> Self:
        """The same with every file found that it names; `card` is the card that holds it.

        Raises:
            InputError: a file is missing.
        """
        return type(self)(**(_given(self) | {"card": find_file(self.card, card)})) if self.card else self


class PileUpSection(CardModel):
    """Pile-up, for a Delphes card with a PileUpMerger."""

    mu: float = Field(ge=0, le=1000)
    """mean number of pile-up collisions in an event (Poisson), in place of the card's; Delphes' cards end at 1000"""
    pool: Path
    """minimum-bias events, made with `resim pileup`"""


class DetectorSection(CardModel):
    """The detector stage."""

    card: Path | None = None
    """Delphes card (Tcl) or calorimeter card (YAML); None: that of the detector that this one changes, the parent's
    or the card's"""
    pileup: PileUpSection | None = None
    """None for cards without a PileUpMerger"""
    backend: Literal["resim", "delphes", "cocoa"] = "resim"
    """what runs the card: resim itself, or an external program: Delphes (`DelphesHepMC3` on PATH) a Delphes card,
    COCOA (`COCOA` on PATH) a calorimeter card with a section `cocoa`"""

    @model_validator(mode="after")
    def _pileup_by_resim(self) -> Self:
        if self.pileup is not None and self.backend != "resim":
            raise ValueError(f"pileup is mixed in by resim alone, not by backend {self.backend}")
        return self

    @model_validator(mode="after")
    def _cards_of_cells(self) -> Self:
        if self.card is None:
            return self
        has_cells = is_calorimeter_card(self.card)
        if has_cells and (self.pileup or self.backend == "delphes"):
            raise ValueError(f"{self.card}: a calorimeter card has neither pileup nor backend delphes")
        if not has_cells and self.backend == "cocoa":
            raise ValueError(f"{self.card}: backend cocoa wants a calorimeter card, as cards/calorimeter/cocoa.yaml")
        return self

    @property
    def external(self) -> bool:
        """Whether an external program runs the card: a slice of events at a time, with one seed."""
        return self.backend != "resim"

    @property
    def card_path(self) -> Path:
        """The card of a stage with everything that it inherits.

        Raises:
            ValueError: there is none, which `GenerationCard` does not let through.
        """
        if self.card is None:
            raise ValueError(f"{self}: has no card")
        return self.card

    def changed_by(self, changes: "DetectorStage | None") -> "DetectorStage":
        """This stage with what is given in `changes`."""
        if not isinstance(changes, DetectorSection):
            return changes or self
        return DetectorSection(**(_given(self) | _given(changes)))

    def with_files(self, card: Path) -> Self:
        """The same with every file found that it names; `card` is the card that holds it.

        Raises:
            InputError: a file is missing.
        """
        changes: dict[str, Any] = {"card": find_file(self.card, card)} if self.card else {}
        if self.pileup:
            changes["pileup"] = self.pileup.model_copy(update={"pool": find_file(self.pileup.pool, card)})
        return self.model_copy(update=changes)


def _none_or_mapping(value: Any) -> Any:
    if isinstance(value, str) and value != NO_DETECTOR:
        raise ValueError(f"want {NO_DETECTOR}, or {{card: FILE}} with a Delphes or calorimeter card")
    return value


DetectorStage = Annotated[DetectorSection | Literal["none"], BeforeValidator(_none_or_mapping)]


def _given(model: CardModel) -> dict[str, Any]:
    return {key: getattr(model, key) for key in model.model_fields_set}
