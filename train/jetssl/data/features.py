"""Input features of a constituent, computed after every augmentation so that derived ones stay consistent.

Letters: T constituents of all jets, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.data import published
from jetssl.data.columns import TYPE_COLUMNS, TYPE_NAMES, stacked, types
from jetssl.data.jets import Jets
from jetssl.data.kinematics import energies, hypotenuse, sinh
from jetssl.data.parts import COLUMNS, KIND, LAYERS, Kind
from resim.common.arrays import Floats32

LOG_PT_FRACTION_CENTRE = -4.5
"""Typical log(pT / pT_jet) of a constituent: about 1 % of the jet."""
LOG_PT_FRACTION_SCALE = 1.5
"""Its spread; features are (value - centre) / scale."""
ANGLE_SCALE = 0.25
"""Typical distance from the axis of an R = 0.8 jet; delta eta, delta phi and delta R are divided by it."""


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Names of the features, in order, and how they are computed."""

    names: tuple[str, ...]
    columns: tuple[str, ...]
    """optional columns that are read, see `jetssl.data.jet_table`"""
    compute: Callable[[Jets], Floats32]
    """jets → float32 `(T, F)`"""
    kinds: tuple[Kind, ...] = (Kind.CONSTITUENT,)
    """what of a jet has these features; the rest of it is left out before"""


def relative(jets: Jets) -> Floats32:
    """Features without any absolute scale or position: float32 `(T, 10)`.

    With absolute kinematics NT-Xent recognizes a row by the pT and direction that its views share, and learns
    nothing else.
    """
    return stacked(_relative(jets))


def relative_ip(jets: Jets) -> Floats32:
    """`relative` and the impact parameters of `full`: float32 `(T, 14)`.

    They are lengths that a boost along the jet axis hardly changes, so they are no absolute scale of the jet.
    """
    return stacked([*_relative(jets), *published.displacements(jets)])


def scalars(jets: Jets) -> Floats32:
    """Charge and type: float32 `(T, 6)`.

    What no Lorentz transformation changes, for encoders that read momenta (`jetssl.models.lgatr`); others see no
    kinematics at all.
    """
    return stacked(_scalars(jets))


def scalars_ip(jets: Jets) -> Floats32:
    """`scalars` and the impact parameters of `full`, which the beam defines: float32 `(T, 10)`."""
    return stacked([*_scalars(jets), *published.displacements(jets)])


def _scalars(jets: Jets) -> list[npt.NDArray[Any]]:
    return [jets.other["charge"], *types(jets)]


def _relative(jets: Jets) -> list[npt.NDArray[Any]]:
    return [
        (np.log(jets.pt / jets.per_constituent(jets.jet_pt)) - LOG_PT_FRACTION_CENTRE) / LOG_PT_FRACTION_SCALE,
        jets.d_eta / ANGLE_SCALE,
        jets.d_phi / ANGLE_SCALE,
        hypotenuse(jets.d_eta, jets.d_phi) / ANGLE_SCALE,
        *_scalars(jets),
    ]


def momenta(jets: Jets) -> Floats32:
    """Four-vectors (E, px, py, pz) in GeV seen from the jet axis: float32 `(T, 4)`.

    The axis lies at eta = phi = 0, so pz is along the beam and px along the jet. Encoders that use pairs of
    constituents read them; differences of rapidity and azimuth are those of the (augmented) jet.
    """
    p_z = jets.pt * sinh(jets.d_eta)
    energy = energies(jets.pt, jets.mass, p_z)
    return stacked([energy, jets.pt * np.cos(jets.d_phi), jets.pt * np.sin(jets.d_phi), p_z])


def vertices(jets: Jets) -> Floats32:
    """Features of secondary vertices, 0 for constituents: float32 `(T, 12)`."""
    is_vertex = jets.other[KIND] == Kind.VERTEX

    def logarithm(name: str) -> Floats32:
        values = jets.other[f"vertex_{name}"]
        return np.asarray(np.log(values, out=np.zeros_like(values), where=is_vertex))

    columns = [
        np.log(jets.pt / jets.per_constituent(jets.jet_pt)),
        jets.d_eta / ANGLE_SCALE,
        jets.d_phi / ANGLE_SCALE,
        jets.other["vertex_mass"],
        jets.other["vertex_n_tracks"],
        *(logarithm(f"flight_{dimensions}{what}") for dimensions in ("2d", "3d") for what in ("", "_significance")),
        jets.other["vertex_cos_pointing"],
        jets.other["vertex_chi2_ndf"].clip(0, published.CLIP),
        is_vertex,
    ]
    features = stacked(columns)
    features[~is_vertex] = 0
    return features


VERTICES = (
    "vertex_log_pt_fraction",
    "vertex_d_eta",
    "vertex_d_phi",
    "vertex_mass",
    "vertex_n_tracks",
    "vertex_log_flight_2d",
    "vertex_log_significance_2d",
    "vertex_log_flight_3d",
    "vertex_log_significance_3d",
    "vertex_cos_pointing",
    "vertex_chi2_ndf",
    "is_vertex",
)


def _with_vertices(features: FeatureSet) -> FeatureSet:
    """The features of constituents, which are 0 for vertices, and then those of vertices."""

    def compute(jets: Jets) -> Floats32:
        is_vertex = (jets.other[KIND] == Kind.VERTEX)[:, None]
        of_constituents = np.where(is_vertex, np.float32(0), features.compute(jets))
        return np.concatenate([of_constituents, vertices(jets)], axis=1)

    columns = (*features.columns, *COLUMNS[Kind.VERTEX])
    return FeatureSet((*features.names, *VERTICES), columns, compute, (Kind.CONSTITUENT, Kind.VERTEX))


CELLS = ("cell_log_pt_fraction", "cell_d_eta", "cell_d_phi")
CELL_LAYERS = tuple(f"cell_layer_{layer}" for layer in range(LAYERS))
TRACKS = ("track_tanh_d0", "track_tanh_z0", "track_d_eta", "track_d_phi", "track_bending")


def cells_and_tracks(jets: Jets) -> Floats32:
    """Features of cells, 0 for tracks, those of tracks, 0 for cells, and who is a track: float32 `(T, 15)`.

    As many of each as the first layers of the re-simulation talk read (`jetssl.models.resim_transformer`). The
    bending of a track is q ln(1 + pT_jet / pT): it has the sign of q/p and falls with pT, but logarithmically.
    """
    kind, share = jets.other[KIND], jets.pt / jets.per_constituent(jets.jet_pt)
    is_cell, is_track = kind == Kind.CELL, kind == Kind.TRACK
    direction = (jets.d_eta / ANGLE_SCALE, jets.d_phi / ANGLE_SCALE)
    of_cells = ((np.log(share) - LOG_PT_FRACTION_CENTRE) / LOG_PT_FRACTION_SCALE, *direction)
    of_tracks = (
        *(np.tanh(jets.other[f"track_{name}"]) for name in ("d0", "z0")),
        *direction,
        jets.other["track_charge"] * np.log1p(1 / share),
    )
    layers = (jets.other["cell_layer"] == layer for layer in range(LAYERS))
    columns = [np.where(is_cell, values, 0) for values in (*of_cells, *layers)]
    columns += [np.where(is_track, values, 0) for values in of_tracks]
    return stacked([*columns, is_track])


SCALARS = ("charge", *TYPE_NAMES)
RELATIVE = ("log_pt_fraction", "d_eta", "d_phi", "d_r", *SCALARS)
DISPLACEMENTS = ("tanh_d0", "d0_err", "tanh_dz", "dz_err")

CONSTITUENT_FEATURES = {
    "relative": FeatureSet(RELATIVE, TYPE_COLUMNS, relative),
    "relative_ip": FeatureSet((*RELATIVE, *DISPLACEMENTS), (*TYPE_COLUMNS, *published.DISPLACEMENTS), relative_ip),
    "scalars": FeatureSet(SCALARS, TYPE_COLUMNS, scalars),
    "scalars_ip": FeatureSet((*SCALARS, *DISPLACEMENTS), (*TYPE_COLUMNS, *published.DISPLACEMENTS), scalars_ip),
    "kin": FeatureSet(published.KIN, (), published.kin),
    "kinpid": FeatureSet(published.KINPID, TYPE_COLUMNS, published.kinpid),
    "full": FeatureSet(published.FULL, (*TYPE_COLUMNS, *published.DISPLACEMENTS), published.full),
    "rs3l": FeatureSet(published.RS3L, (*TYPE_COLUMNS, "d0", "dz"), published.rs3l),
    "omnilearned": FeatureSet(
        published.OMNILEARNED, (*TYPE_COLUMNS, *published.DISPLACEMENTS), published.omnilearned
    ),
}
"""Feature sets of constituents by the name that a card uses (`data.features`)."""
CELLS_AND_TRACKS = FeatureSet(
    (*CELLS, *CELL_LAYERS, *TRACKS, "is_track"),
    (*COLUMNS[Kind.CELL], *COLUMNS[Kind.TRACK]),
    cells_and_tracks,
    (Kind.CELL, Kind.TRACK),
)
FEATURE_SETS = (
    CONSTITUENT_FEATURES
    | {f"{name}+vertices": _with_vertices(features) for name, features in CONSTITUENT_FEATURES.items()}
    | {"cells+tracks": CELLS_AND_TRACKS}
)
"""Feature sets by the name that a card uses (`data.features`), with `+vertices` where `data.inputs` has them; and
that of `data.inputs: [cells, tracks]`."""


def type_places(features: str) -> list[int]:
    """Where a feature set has the one-hot type, in the order of `TYPE_NAMES`; empty if it has none.

    >>> type_places("relative"), type_places("kin")
    ([5, 6, 7, 8, 9], [])
    """
    names = FEATURE_SETS[features].names
    spelled = next((types for types in (TYPE_NAMES, published.TYPES) if set(types) <= set(names)), ())
    return [names.index(name) for name in spelled]
