"""The calorimeter card: layers of cells, their materials, thresholds, and the tracker in front of them."""

from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from resim.common.cards import CardModel, parse_card, read_yaml

CELLS_MAX: Final = 4_000_000
"""Cells of a layout: each takes about 100 bytes for its lists of neighbours, and 14 while an event is clustered."""

Length = Annotated[float, Field(ge=0.1, le=1e5)]
"""mm; ten times the largest detectors"""
Threshold = Annotated[float, Field(ge=0, le=1000)]
SamplingTerm = Annotated[float, Field(ge=0.01, le=2)]
"""a of sigma / E = a / sqrt(E / GeV); a deposit takes 1 / a² numbers for a GeV, and crystals have 0.03"""


class Material(CardModel):
    """A material, with the constants of PDG's tables "Atomic and Nuclear Properties of Materials"."""

    z: Annotated[float, Field(ge=1, le=100)]
    """atomic number; of a compound the mean by weight"""
    density: Annotated[float, Field(ge=1e-5, le=30)]
    """g/cm³"""
    radiation_length: Annotated[float, Field(ge=1, le=200)]
    """X0, g/cm²"""
    interaction_length: Annotated[float, Field(ge=10, le=500)]
    """nuclear interaction length, g/cm²"""
    critical_energy: Annotated[float, Field(ge=1, le=1000)]
    """for electrons, MeV"""
    minimum_ionization: Annotated[float, Field(ge=0.5, le=10)]
    """dE/dx of a minimum ionizing particle, MeV cm²/g"""


class Layer(CardModel):
    """A layer of cells, all of one size in pseudorapidity and azimuth."""

    depth: Annotated[float, Field(ge=0.01, le=1000)]
    """along the line from the interaction point, in the unit of the section"""
    cells: Annotated[int, Field(ge=4, le=2048)]
    """number in azimuth, and over the whole range of pseudorapidity"""
    noise: Annotated[float, Field(ge=1e-6, le=100)]
    """standard deviation of the noise of a cell, GeV"""


class DeadMaterial(CardModel):
    """Material without cells in front of a section."""

    material: str
    """name of the material"""
    thickness: Length
    """along the line from the interaction point, mm"""


class Section(CardModel):
    """A part of the calorimeter of one mixture of materials, as the electromagnetic or the hadronic one."""

    unit: Annotated[str, Field(pattern="^(radiation_length|interaction_length)$")]
    """unit in which the layers have their depths"""
    mixture: Annotated[dict[str, Annotated[float, Field(ge=1e-6, le=1e6)]], Field(min_length=1)]
    """name of a material: its part of the volume, in any unit"""
    in_front: DeadMaterial | None = None
    """what particles cross before the section"""
    sampling: SamplingTerm
    """of electromagnetic showers"""
    hadronic_sampling: SamplingTerm
    """of what hadrons deposit otherwise: sampling, and the fluctuations of nuclear reactions"""
    constant: Annotated[float, Field(ge=0, le=1)]
    """relative spread of the response to a shower"""
    e_over_h: Annotated[float, Field(ge=1, le=10)]
    """response to electromagnetic energy over that to other energy of a hadronic shower"""
    layers: Annotated[tuple[Layer, ...], Field(min_length=1)]


class HadronicShowers(CardModel):
    """How showers of hadrons differ from each other and spread sideways."""

    em_exponent: Annotated[float, Field(gt=0, lt=1)]
    """k of the mean electromagnetic fraction 1 - (E / E0)^(k - 1)"""
    em_scale: Annotated[float, Field(ge=0.1, le=100)]
    """E0 of it, GeV"""
    em_concentration: Annotated[float, Field(ge=1, le=1e4)]
    """alpha + beta of the beta distribution of that fraction"""
    radius: tuple[Annotated[float, Field(ge=0, le=10)], Annotated[float, Field(ge=0, le=10)]]
    """median radius of energy that is not electromagnetic at the start, and its growth per interaction length of
    depth; interaction lengths"""


class Thresholds(CardModel):
    """Topological clusters: thresholds in units of the noise of a cell."""

    seed: Threshold
    """cells above start a cluster"""
    growth: Threshold
    """cells above hand it on to their neighbours"""
    boundary: Threshold
    """cells above join it"""
    local_maximum: Threshold
    """energy of a cell, GeV, above which it may split its cluster"""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.seed >= self.growth >= self.boundary:
            thresholds = f"{self.seed:g}, {self.growth:g}, {self.boundary:g}"
            raise ValueError(f"want seed >= growth >= boundary, not {thresholds}")
        return self


class Tracker(CardModel):
    """The tracker in front of the calorimeter; formulas are those of Delphes cards, of pt (GeV) and eta."""

    field: Annotated[float, Field(ge=-20, le=20)]
    """of the solenoid, along z, T; the largest of colliders have 4"""
    efficiency: str
    momentum_resolution: str
    """relative"""
    d0_resolution: str
    """mm"""
    dz_resolution: str
    """mm"""


class Flow(CardModel):
    """What charged pions leave in clusters, for particle flow: formulas of `energy`, their momentum in GeV."""

    response: str
    """mean energy in clusters over momentum"""
    spread: str
    """its standard deviation"""


class CalorimeterCard(CardModel):
    """A calorimeter of cells around a tracker."""

    radius: Length
    """where the barrel begins, mm"""
    abs_eta_barrel: Annotated[float, Field(ge=0.1, le=6)]
    """where the end caps begin"""
    abs_eta_max: Annotated[float, Field(gt=0, le=6)]
    """where they end"""
    materials: dict[str, Material]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    """from the inside out"""
    hadrons: HadronicShowers
    clusters: Thresholds
    tracker: Tracker
    flow: Flow
    cocoa: dict[str, Any] | None = None
    """configuration of COCOA itself, which runs the card with `backend: cocoa`: its JSON file, as a mapping"""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.abs_eta_barrel < self.abs_eta_max:
            raise ValueError(f"abs_eta_barrel: want less than abs_eta_max {self.abs_eta_max:g}")
        named = {name for section in self.sections for name in section.mixture}
        named |= {section.in_front.material for section in self.sections if section.in_front}
        if unknown := sorted(named - self.materials.keys()):
            raise ValueError(f"material {unknown[0]!r} is not among materials: {', '.join(self.materials)}")
        if (n_cells := sum(layer.cells**2 for layer in self.layers)) > CELLS_MAX:
            raise ValueError(f"{n_cells} cells, want {CELLS_MAX} at most")
        return self

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of all sections, from the inside out."""
        return tuple(layer for section in self.sections for layer in section.layers)


def is_calorimeter_card(path: Path) -> bool:
    """Whether a card of the detector stage describes a calorimeter of cells (YAML) and is none of Delphes (Tcl)."""
    return path.suffix in (".yaml", ".yml")


def read_calorimeter(path: Path) -> CalorimeterCard:
    """Read a calorimeter card.

    Raises:
        InputError: it cannot be read, or is wrong; the message names the key and what is wanted.
    """
    return parse_card(CalorimeterCard, read_yaml(path), path)
