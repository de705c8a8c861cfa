"""Section `columns` of the mapping card: where momenta, types, impact parameters and properties of jets lie."""

import re
from typing import Final, Literal

from pydantic import model_validator

from resim.common.cards import CardModel

Column = str
"""Name of a column; `X[2]` is the third entry of the last axis of the array X, `X[0:9:3]` are entries 0, 3, and 6."""
COLUMN: Final = re.compile(r"([^\[\]]+)(?:\[(\d+)(?::(\d+):([1-9]\d*))?\])?")
MOMENTA: Final = (
    frozenset({"px", "py", "pz", "energy"}),
    frozenset({"pt", "eta", "phi", "energy"}),
    frozenset({"pt", "eta", "phi", "mass"}),
    frozenset({"pt", "rapidity", "phi", "mass"}),
    frozenset({"log_pt", "log_energy", "d_eta", "d_phi"}),
    frozenset({"pt_fraction", "mass", "d_eta", "d_phi"}),
)
"""Complete sets of columns for the momentum of a constituent."""
MEV: Final = 1e-3
CM: Final = 10.0


def array_of(column: Column) -> str:
    """Name of the array that a column lies in.

    >>> array_of("features[3]"), array_of("part_px")
    ('features', 'part_px')
    """
    found = COLUMN.fullmatch(column)
    return found[1] if found else column


def index_of(column: Column) -> int | slice | None:
    """Where a column lies on the last axis of its array; None: it is the whole array.

    >>> index_of("features[3]"), index_of("events[1:2100:3]")
    (3, slice(1, 2100, 3))
    """
    found = COLUMN.fullmatch(column)
    if not found or not found[2]:
        return None
    return slice(*map(int, found.groups()[1:])) if found[3] else int(found[2])


class MomentaCard(CardModel):
    """Momentum of a constituent: one of the sets of `MOMENTA`."""

    unit: Literal["GeV", "MeV"]
    px: Column | None = None
    py: Column | None = None
    pz: Column | None = None
    energy: Column | None = None
    pt: Column | None = None
    eta: Column | None = None
    rapidity: Column | None = None
    phi: Column | None = None
    mass: Column | float | None = None
    """a column, or a number for all, e.g. 0"""
    log_pt: Column | None = None
    """natural logarithm of pT in `unit`"""
    log_energy: Column | None = None
    pt_fraction: Column | None = None
    """pT over that of the jet, which `jets.pt` says"""
    d_eta: Column | None = None
    """pseudorapidity minus that of the jet. Beside absolute momenta it is only checked"""
    d_phi: Column | None = None
    """azimuth minus that of the jet, likewise"""
    mirrored: bool = False
    """`d_eta` has the opposite sign for jets at negative pseudorapidity, as in JetClass"""
    log_pt_fraction: Column | None = None
    """log of pT over that of the jet: says the pT of the jet where no column of `jets` does"""
    log_energy_fraction: Column | None = None
    weight: Column | None = None
    """factor on the momentum, as that of PUPPI; what has 0 is no constituent"""

    @model_validator(mode="after")
    def _complete(self) -> "MomentaCard":
        given = {name for names in MOMENTA for name in names if getattr(self, name) is not None}
        absolute = given - {"d_eta", "d_phi"}
        if given not in MOMENTA and absolute not in MOMENTA:
            wanted = "; or ".join(", ".join(sorted(names)) for names in MOMENTA)
            raise ValueError(f"{', '.join(sorted(given)) or 'nothing'} given, want {wanted}")
        if self.mirrored and self.d_eta is None:
            raise ValueError("mirrored without d_eta, which it is about")
        return self

    @property
    def relative(self) -> bool:
        """Whether directions are known with respect to the jet only."""
        return self.log_pt is not None or self.pt_fraction is not None

    @property
    def columns(self) -> dict[str, Column]:
        """Columns that are read, by what they are."""
        found = {name: getattr(self, name) for name in type(self).model_fields if name not in ("unit", "mirrored")}
        return {name: column for name, column in found.items() if isinstance(column, str)}

    @property
    def scale(self) -> float:
        """GeV of the unit."""
        return MEV if self.unit == "MeV" else 1.0


class ParticlesCard(CardModel):
    """Charge and type of a constituent. What is not given is 0, and so is the type then: a neutral hadron."""

    charge: Column | None = None
    """units of e; without it, the charge that belongs to `pdg_id`"""
    pdg_id: Column | None = None
    codes: dict[int, int] | None = None
    """value of `pdg_id` → PDG id, where the file has numbers of its own"""
    charged_hadron: Column | None = None
    """flags, in place of `pdg_id`; each constituent has exactly one"""
    neutral_hadron: Column | None = None
    photon: Column | None = None
    electron: Column | None = None
    muon: Column | None = None

    @model_validator(mode="after")
    def _flags_with_charge(self) -> "ParticlesCard":
        if self.codes is not None and self.pdg_id is None:
            raise ValueError("codes without pdg_id, which they are about")
        if self.flags and (self.pdg_id is not None or self.charge is None):
            raise ValueError("flags of types need a charge, and no pdg_id beside them")
        return self

    @property
    def flags(self) -> dict[str, Column]:
        """Type → its flag."""
        names = ("charged_hadron", "neutral_hadron", "photon", "electron", "muon")
        found = {name: getattr(self, name) for name in names}
        return {name: column for name, column in found.items() if column is not None}

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns that are read."""
        return tuple(filter(None, (self.charge, self.pdg_id))) + tuple(self.flags.values())


class DisplacementsCard(CardModel):
    """Impact parameters of tracks; 0 for neutral constituents whatever the file says."""

    unit: Literal["mm", "cm"]
    sign: Literal["same", "opposite"]
    """of d0. same: d0 = (x py - y px)/pT at the closest approach, as here and in Delphes; opposite: as CMS's dxy"""
    tanh: bool = False
    """`d0` and `dz` are hyperbolic tangents of the values in `unit`"""
    d0: Column
    dz: Column
    d0_err: Column | None = None
    dz_err: Column | None = None
    d0_significance: Column | None = None
    """`d0` over its error, in place of `d0_err`; 0: not measured"""
    dz_significance: Column | None = None

    @model_validator(mode="after")
    def _one_error(self) -> "DisplacementsCard":
        for name in ("d0", "dz"):
            if getattr(self, f"{name}_err") is not None and getattr(self, f"{name}_significance") is not None:
                raise ValueError(f"{name}_err and {name}_significance: one of them says the error")
        return self

    @property
    def with_errors(self) -> bool:
        """Whether both errors are known."""
        return all({f"{name}_err", f"{name}_significance"} & set(self.columns) for name in ("d0", "dz"))

    @property
    def columns(self) -> dict[str, Column]:
        """Columns that are read, by what they are."""
        found = {
            name: getattr(self, name) for name in type(self).model_fields if name not in ("unit", "sign", "tanh")
        }
        return {name: column for name, column in found.items() if column is not None}

    @property
    def scale(self) -> float:
        """Millimetres of the unit."""
        return CM if self.unit == "cm" else 1.0


class VerticesCard(CardModel):
    """Secondary vertices of a jet, ragged columns; all of them, or none at all."""

    unit: Literal["mm", "cm"]
    """of the flight distances"""
    pt: Column
    """of the summed tracks, in the unit of `momenta`"""
    mass: Column
    """likewise"""
    d_eta: Column
    """pseudorapidity minus that of the jet, with the sign of `momenta.mirrored`"""
    d_phi: Column
    n_tracks: Column
    flight_2d: Column
    """distance from the primary vertex across the beam"""
    flight_2d_significance: Column
    flight_3d: Column
    flight_3d_significance: Column
    cos_pointing: Column
    """cosine of the angle between flight and momentum"""
    chi2_ndf: Column

    @property
    def columns(self) -> dict[str, Column]:
        """Columns that are read, by what they are."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "unit"}

    @property
    def scale(self) -> float:
        """Millimetres of the unit."""
        return CM if self.unit == "cm" else 1.0


class JetsCard(CardModel):
    """Columns of the jet. What is not given is computed from the constituents."""

    unit: Literal["GeV", "MeV"] | None = None
    pt: Column | None = None
    eta: Column | None = None
    phi: Column | None = None
    energy: Column | None = None
    mass: Column | None = None
    softdrop_mass: Column | None = None
    tau1: Column | None = None
    tau2: Column | None = None
    tau3: Column | None = None
    tau4: Column | None = None
    n_constituents: Column | None = None
    """only checked"""

    @model_validator(mode="after")
    def _unit_of_momenta(self) -> "JetsCard":
        if self.unit is None and {"pt", "energy", "mass", "softdrop_mass"} & set(self.columns):
            raise ValueError("has momenta, and no unit: want GeV or MeV")
        return self

    @property
    def columns(self) -> dict[str, Column]:
        """Columns that are read, by what they are."""
        found = {name: getattr(self, name) for name in type(self).model_fields if name != "unit"}
        return {name: column for name, column in found.items() if column is not None}

    @property
    def scale(self) -> float:
        """GeV of the unit."""
        return MEV if self.unit == "MeV" else 1.0


class ColumnsCard(CardModel):
    """Where everything about a jet lies."""

    momenta: MomentaCard
    particles: ParticlesCard = ParticlesCard()
    displacements: DisplacementsCard | None = None
    vertices: VerticesCard | None = None
    jets: JetsCard = JetsCard()

    @model_validator(mode="after")
    def _jets_are_known(self) -> "ColumnsCard":
        if self.momenta.pt_fraction is not None and None in (self.jets.pt, self.jets.eta):
            raise ValueError("momenta.pt_fraction without jets.pt and jets.eta, which it is relative to")
        if self.vertices is not None and None in (self.jets.eta, self.jets.phi):
            raise ValueError("vertices without jets.eta and jets.phi, which they are relative to")
        return self
