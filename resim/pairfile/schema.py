"""The pair file, declared once: writer, reader, validator, mock and documentation all use this module.

A pair file is HDF5. Row *i* is the same hard parton in every view; constituents are ragged and addressed by
`offsets`. See `docs/format.md` for the prose.
"""

from dataclasses import dataclass
from typing import Final

SCHEMA: Final = "resim.pairs"
SCHEMA_VERSION: Final = 3
READABLE: Final = (2, 3)
"""Versions that are read. In files of version 2 a hard scatter is known by its place, see `resim.pairfile.places`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One dataset of the file: name, little-endian NumPy dtype, unit and meaning."""

    name: str
    dtype: str
    unit: str
    doc: str
    since: int = 2
    """schema version that brought it"""


HARD_SCATTER: Final = (
    Column("event", "<i8", "", "index of the event in its LHE file, from 0"),
    Column("source", "<i2", "", "index into the attribute `sources` of the group"),
    Column("identity", "<u8", "", "hash of the event's particles, the same for equal events of any files", since=3),
    Column("label", "<i2", "", "index into the attribute `labels` of the group"),
    Column("weight", "<f8", "", "event weight XWGTUP as the LHE file has it"),
    Column("parton_pdg_id", "<i4", "", "PDG id of the hard parton or resonance"),
    Column("parton_pt", "<f8", "GeV", "its transverse momentum"),
    Column("parton_eta", "<f8", "", "its pseudorapidity"),
    Column("parton_phi", "<f8", "rad", "its azimuth in (-pi, pi]"),
    Column("parton_mass", "<f8", "GeV", "its mass as the LHE file has it"),
)
"""Columns of `hard_scatter/`, one entry a row: what is frozen."""

SEEDS: Final = (
    Column("shower", "<u4", "", "seed of the parton level; 0 if this view's generator could not make the event"),
    Column("hadronization", "<u4", "", "seed of hadronization and decays; 0 likewise"),
    Column("detector", "<u4", "", "seed of the detector stage; 0 without a detector"),
)
"""Columns of `views/<name>/seeds/`."""

JETS: Final = (
    Column("pt", "<f4", "GeV", "transverse momentum"),
    Column("eta", "<f4", "", "pseudorapidity"),
    Column("phi", "<f4", "rad", "azimuth in (-pi, pi]"),
    Column("mass", "<f4", "GeV", "mass of the summed constituents"),
    Column("energy", "<f4", "GeV", "energy"),
    Column("n_constituents", "<i4", "", "number of constituents; 0 if the row is invalid in this view"),
    Column(
        "softdrop_mass",
        "<f4",
        "GeV",
        "soft-drop mass (arXiv:1402.2657); z_cut = 0.1, beta = 0 unless the card differs",
    ),
    Column(
        "tau1",
        "<f4",
        "",
        "N-subjettiness, winner-take-all kT axes (arXiv:1011.2268, 1401.2158); beta = 1 unless the card differs",
    ),
    Column("tau2", "<f4", "", "same, two axes"),
    Column("tau3", "<f4", "", "same, three axes"),
    Column("tau4", "<f4", "", "same, four axes"),
)
"""Columns of `views/<name>/jets/`; NaN (0 for integers) where the row is invalid in the view."""

PARTICLE_JETS: Final = (
    Column("pt", "<f4", "GeV", "transverse momentum of the row's jet of generated particles"),
    Column("eta", "<f4", "", "its pseudorapidity"),
    Column("phi", "<f4", "rad", "its azimuth in (-pi, pi]"),
    Column("mass", "<f4", "GeV", "its mass"),
)
"""Columns of `views/<name>/particle_jets/`, equal to `jets/` without a detector; NaN if the row is invalid or there
is no such jet."""

CONSTITUENTS: Final = (
    Column("pt", "<f4", "GeV", "transverse momentum, descending within a jet"),
    Column("eta", "<f4", "", "pseudorapidity"),
    Column("phi", "<f4", "rad", "azimuth in (-pi, pi]"),
    Column("energy", "<f4", "GeV", "energy"),
    Column("charge", "<i1", "e", "electric charge"),
    Column("pdg_id", "<i4", "", "PDG id; with a detector 22 for photons and 0 for neutral hadrons"),
    Column("d0", "<f4", "mm", "transverse impact parameter; 0 for neutral particles"),
    Column("d0_err", "<f4", "mm", "its error; 0 without a detector"),
    Column("dz", "<f4", "mm", "longitudinal impact parameter; 0 for neutral particles"),
    Column("dz_err", "<f4", "mm", "its error; 0 without a detector"),
)
"""Columns of `views/<name>/constituents/`, one entry a constituent."""

VERTICES: Final = (
    Column("pt", "<f4", "GeV", "transverse momentum of the summed tracks"),
    Column("eta", "<f4", "", "its pseudorapidity"),
    Column("phi", "<f4", "rad", "its azimuth in (-pi, pi]"),
    Column("energy", "<f4", "GeV", "energy of the tracks, each with its mass"),
    Column("mass", "<f4", "GeV", "mass of the tracks"),
    Column("n_tracks", "<i4", "", "number of tracks"),
    Column("flight_2d", "<f4", "mm", "transverse distance from the primary vertex, the origin"),
    Column("flight_2d_significance", "<f4", "", "the same in units of its error"),
    Column("flight_3d", "<f4", "mm", "distance from the primary vertex, descending significance within a jet"),
    Column("flight_3d_significance", "<f4", "", "the same in units of its error"),
    Column("cos_pointing", "<f4", "", "cosine of the angle between flight direction and momentum"),
    Column("chi2_ndf", "<f4", "", "chi-squared of the vertex fit over its degrees of freedom; 0 for truth vertices"),
)
"""Columns of `views/<name>/vertices/`, one entry a secondary vertex; only in files whose card asks for them."""

CELLS: Final = (
    Column("layer", "<i4", "", "layer of the calorimeter, from the inside out, from 0"),
    Column("eta", "<f4", "", "pseudorapidity of its centre"),
    Column("phi", "<f4", "rad", "azimuth of its centre in (-pi, pi)"),
    Column("energy", "<f4", "GeV", "energy with noise, at the electromagnetic scale, above 0"),
    Column("cluster", "<i4", "", "number of its cluster in `clusters/`, from 0 in each jet"),
)
"""Columns of `views/<name>/cells/`, one entry a cell of the jet's clusters; only if the card asks for them."""

CLUSTERS: Final = (
    Column("energy", "<f4", "GeV", "energy at the electromagnetic scale, tracks not subtracted; descending"),
    Column("eta", "<f4", "", "pseudorapidity of the barycentre"),
    Column("phi", "<f4", "rad", "azimuth of the barycentre in [-pi, pi)"),
    Column("sigma_eta", "<f4", "", "spread of the cells in pseudorapidity, weighted by energy"),
    Column("sigma_phi", "<f4", "rad", "spread of the cells in azimuth, likewise"),
    Column("n_cells", "<i4", "", "number of cells"),
)
"""Columns of `views/<name>/clusters/`, one entry a topological cluster with its barycentre in the jet's radius."""

TRACKS: Final = (
    Column("d0", "<f4", "mm", "transverse impact parameter"),
    Column("z0", "<f4", "mm", "longitudinal impact parameter"),
    Column("theta", "<f4", "rad", "polar angle at the closest approach to the beam"),
    Column("phi", "<f4", "rad", "azimuth there in (-pi, pi]"),
    Column("q_over_p", "<f4", "1/GeV", "charge over momentum"),
    Column("first_eta", "<f4", "", "pseudorapidity where it crosses the middle of the first layer"),
    Column("first_phi", "<f4", "rad", "azimuth there in (-pi, pi]"),
    Column("last_eta", "<f4", "", "pseudorapidity where it crosses the middle of the last layer"),
    Column("last_phi", "<f4", "rad", "azimuth there in (-pi, pi]"),
)
"""Columns of `views/<name>/tracks/`, one entry a track within the jet's radius, by descending pT."""

CELL_GROUPS: Final = {"cells": CELLS, "clusters": CLUSTERS, "tracks": TRACKS}
"""Groups of files with cells."""

WEIGHTS: Final = (
    Column("number", "<i4", "", "index into `names`"),
    Column("value", "<f8", "", "weight of the row's event, as the LHE file has it"),
)
"""Columns of `weights/`, one entry a weight of a row; only in files whose card asks for them."""

OFFSETS: Final = Column("offsets", "<i8", "", "constituents of row i are offsets[i]:offsets[i + 1]")
VERTEX_OFFSETS: Final = Column(
    "vertex_offsets", "<i8", "", "secondary vertices of row i are vertex_offsets[i]:vertex_offsets[i + 1]"
)
WEIGHT_OFFSETS: Final = Column(
    "weights/offsets", "<i8", "", "weights of row i beside XWGTUP are offsets[i]:offsets[i + 1]", since=3
)
WEIGHT_NAMES: Final = Column(
    "weights/names", "|u1", "", "names of the weights, id and meaning each: bytes of a JSON list", since=3
)
VALID: Final = Column("valid", "|b1", "", "whether the row has a matched jet in this view")


@dataclass(frozen=True, slots=True)
class RaggedGroup:
    """Datasets with several entries a row.

    Attributes:
        offsets: path of the row offsets, int64 `(n_rows + 1,)`.
        columns: path -> column of every dataset with one entry a constituent, vertex or weight.
    """

    offsets: str
    columns: dict[str, Column]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which datasets a file has.

    Attributes:
        views: names of the views, root first.
        version: schema version.
        vertices: whether the views have secondary vertices.
        weights: whether all weights of events are kept.
        cells: whether the views have cells, clusters and tracks.
    """

    views: tuple[str, ...]
    version: int = SCHEMA_VERSION
    vertices: bool = False
    weights: bool = False
    cells: bool = False

    def row_columns(self) -> dict[str, Column]:
        """Path → column of every dataset with one entry a row, in the order of the file.

        >>> list(Layout(("nominal",)).row_columns())[-1]
        'views/nominal/particle_jets/mass'
        """
        columns = {f"hard_scatter/{c.name}": c for c in HARD_SCATTER if c.since <= self.version}
        for view in self.views:
            columns |= {f"views/{view}/seeds/{column.name}": column for column in SEEDS}
            columns[f"views/{view}/valid"] = VALID
            columns |= {f"views/{view}/jets/{column.name}": column for column in JETS}
            columns |= {f"views/{view}/particle_jets/{column.name}": column for column in PARTICLE_JETS}
        return columns

    def ragged_groups(self) -> list[RaggedGroup]:
        """What has several entries a row: view by view, then weights.

        >>> [group.offsets for group in Layout(("seed",), vertices=True).ragged_groups()]
        ['views/seed/offsets', 'views/seed/vertex_offsets']
        """
        groups = [group for view in self.views for group in self.ragged_groups_of(view)]
        if self.weights:
            columns = {f"weights/{column.name}": column for column in WEIGHTS}
            groups.append(RaggedGroup(WEIGHT_OFFSETS.name, columns))
        return groups

    def ragged_groups_of(self, view: str) -> list[RaggedGroup]:
        """The constituents of a view, and its secondary vertices and cells in a file that has them."""
        groups = [RaggedGroup(offsets_path(view), {f"views/{view}/constituents/{c.name}": c for c in CONSTITUENTS})]
        if self.vertices:
            columns = {f"views/{view}/vertices/{column.name}": column for column in VERTICES}
            groups.append(RaggedGroup(vertex_offsets_path(view), columns))
        for name, found in CELL_GROUPS.items() if self.cells else ():
            columns = {f"views/{view}/{name}/{column.name}": column for column in found}
            groups.append(RaggedGroup(group_offsets_path(view, name), columns))
        return groups


def offsets_path(view: str) -> str:
    """Path of the offsets of the view's constituents, int64 `(n_rows + 1,)`."""
    return f"views/{view}/{OFFSETS.name}"


def group_offsets_path(view: str, group: str) -> str:
    """Path of the offsets of one of the `CELL_GROUPS` of a view, int64 `(n_rows + 1,)`."""
    return f"views/{view}/{group}/{OFFSETS.name}"


def vertex_offsets_path(view: str) -> str:
    """Path of the offsets of the view's secondary vertices, int64 `(n_rows + 1,)`."""
    return f"views/{view}/{VERTEX_OFFSETS.name}"
