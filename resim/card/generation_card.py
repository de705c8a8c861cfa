"""The generation card: YAML in, frozen and checked models out. Unknown keys are errors."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from resim.card import view_tree
from resim.card.calorimeter_card import is_calorimeter_card
from resim.card.jet_settings import JetSettings
from resim.card.stages import NO_DETECTOR, DetectorSection, DetectorStage
from resim.card.view_tree import Name, Stages, View
from resim.common.cards import CardModel, find_file, parse_card, read_yaml
from resim.common.limits import VIEWS
from resim.common.units import TAU

Prongs = Annotated[int, Field(ge=0, le=5)]
"""Charged hadrons of a tau decay; 0 for the leptonic ones."""


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


class GenerationCard(CardModel):
    """A generation card: hard scatters, selection, views, detector and jets (docs/views.md)."""

    sources: list[Source] = Field(min_length=1)
    select: Selection = Selection()
    views: dict[Name, View] = Field(min_length=1, max_length=VIEWS)
    detector: DetectorStage = NO_DETECTOR
    """of every view that does not say otherwise"""
    jets: JetSettings = JetSettings()
    decay: Literal["anew", "frozen"] = "anew"
    """resonances that the LHE file leaves undecayed: `anew` in each view with its own shower, or `frozen`: once,
    by Pythia with the particle data of the root view, the same in all views"""
    weights: Literal["xwgtup", "all"] = "xwgtup"
    """weights of events that the pair file keeps: XWGTUP alone, or also those of `<rwgt>` and `<weights>`"""
    different_beams: bool = False
    """whether sources may have different beams, which tell classes apart"""
    max_failures: float = Field(0.02, ge=0, le=1)
    """fraction of a view's rows that the generator may give up before the run is stopped"""

    @model_validator(mode="after")
    def _one_tree(self) -> Self:
        stages = self.stages()
        for name, view in self.views.items():
            view_tree.check(name, view, stages[name], stages.get(view_tree.family_of(view.parent or "")))
        if (n_views := sum(view.repeat or 1 for view in self.views.values())) > VIEWS:
            raise ValueError(f"views: {n_views} with those of families, at most {VIEWS}; lower `repeat`")
        fitted = self.jets.vertices is not None and self.jets.vertices.source == "fit"
        if fitted and (without := [name for name in stages if stages[name].detector == NO_DETECTOR]):
            raise ValueError(
                f"views.{without[0]}: vertices are fitted to tracks; give `detector` a card, or take `source: truth`"
            )
        return self

    @model_validator(mode="after")
    def _cells_of_a_calorimeter(self) -> Self:
        for name, (_, detector) in self.stages().items() if self.jets.cells else ():
            if not isinstance(detector, DetectorSection) or not is_calorimeter_card(detector.card_path):
                raise ValueError(
                    f"views.{name}: jets.cells wants a calorimeter card, as cards/calorimeter/cocoa.yaml"
                )
        return self

    def stages(self) -> dict[str, Stages]:
        """The stages of every view, or family of views, with everything that it inherits, parents before children."""
        return view_tree.resolve(self.views, self.detector)

    def resolved(self) -> Self:
        """The same with everything that views inherit written out."""
        views = {}
        for name, (shower, detector) in self.stages().items():
            changes: dict[str, Any] = {"detector": detector}
            changes |= {} if self.views[name].shares_shower else {"shower": shower}
            views[name] = self.views[name].model_copy(update=changes)
        return self.model_copy(update={"views": {name: views[name] for name in self.views}})


def load_card(path: Path) -> GenerationCard:
    """Read and check a generation card; the files that it names are looked up with `resim.common.cards.find_file`.

    Raises:
        InputError: missing file, YAML error, unknown key, value out of range, or a file that it names is missing.
    """
    card = parse_card(GenerationCard, read_yaml(path), path)
    stages = card.stages()
    changes = {
        "sources": [source.model_copy(update={"lhe": find_file(source.lhe, path)}) for source in card.sources],
        "views": {name: view_tree.with_files(view, stages[name].shower, path) for name, view in card.views.items()},
        "detector": card.detector.with_files(path) if isinstance(card.detector, DetectorSection) else card.detector,
    }
    return card.model_copy(update=changes)
