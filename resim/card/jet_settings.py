"""Section `jets` of the generation card: clustering, matching, substructure, secondary vertices."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from resim.common.cards import CardModel

Radius = Annotated[float, Field(gt=0, le=10)]
SoftDropCut = Annotated[float, Field(gt=0, lt=0.5)]


class VertexSettings(CardModel):
    """Secondary vertices of a jet. The cuts on vertices are those of CMS (arXiv:1211.4462, sec. 3.3)."""

    source: Literal["truth", "fit"]
    """truth: generated decay points, smeared; fit: from the measured tracks, which takes a detector"""
    track_pt_min: float = Field(1.0, ge=0)
    """GeV; softer tracks curve too much for the straight line of the fit"""
    track_significance_min: float = Field(2.0, ge=0)
    """fit: smallest displacement of a track, in units of its error"""
    along_mm: PositiveFloat = 0.6
    across_mm: PositiveFloat = 0.02
    """truth: resolution of the decay point along and across the line of flight (docs/vertices.md)"""
    significance_min: float = Field(3.0, ge=0)
    """smallest flight distance of a vertex in the transverse plane, in units of its error"""
    flight_2d_max_mm: PositiveFloat = 25.0
    """largest flight distance in the transverse plane"""
    mass_max: PositiveFloat = 6.5
    """GeV"""
    k_short_window: float = Field(0.05, ge=0)
    """GeV; two tracks of opposite charge whose mass is that near to the one of the K_S are none"""
    delta_r_max: PositiveFloat = 0.5
    """largest distance in (pseudorapidity, azimuth) of the line of flight from the jet"""


class JetSettings(CardModel):
    """Jet clustering, matching and substructure. Keep the cuts loose: rows are selected on the parton."""

    algorithm: Literal["antikt", "cambridge", "kt"] = "antikt"
    radius: Radius = 0.8
    pt_min: float = Field(200.0, ge=0)
    """GeV; of reconstructed jets where a view has a detector"""
    pt_max: PositiveFloat | None = None
    """GeV, likewise; None for no upper limit. It cuts after the matching: the row of a jet above it has no other"""
    particle_pt_min: float | None = Field(None, ge=0)
    """GeV; smallest pT of the row's particle-level jet, which may be above `pt_max`. None: as `pt_min`, and with a
    detector there need not be one"""
    abs_eta_max: float = Field(2.5, gt=0)
    """pseudorapidity of the jet"""
    match: Literal["parton", "decay_products"] = "parton"
    """what a jet must be near: the parton or resonance, or all of its visible decay products in the LHE event"""
    match_delta_r: PositiveFloat = 0.8
    """largest distance in (rapidity, azimuth) of the match"""
    softdrop_z_cut: SoftDropCut = 0.1
    softdrop_beta: float = 0.0
    """soft drop of arXiv:1402.2657; beta = 0 is the modified mass-drop tagger"""
    nsubjettiness_beta: PositiveFloat = 1.0
    """angular exponent of N-subjettiness, arXiv:1011.2268"""
    vertices: VertexSettings | None = None
    """secondary vertices of every jet; None: the file has none"""
    cells: bool = False
    """cells, clusters and tracks of every jet, too; every view has a calorimeter card then"""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.pt_max is not None and self.pt_min >= self.pt_max:
            raise ValueError(f"pt_min {self.pt_min} must be below pt_max {self.pt_max}")
        return self
