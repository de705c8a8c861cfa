from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.config.data import TYPED
from jetssl.data.columns import types
from jetssl.data.features import (
    ANGLE_SCALE,
    CELLS_AND_TRACKS,
    CONSTITUENT_FEATURES,
    FEATURE_SETS,
    momenta,
    relative,
    relative_ip,
    scalars,
    scalars_ip,
    type_places,
)
from jetssl.data.jet_table import OPTIONAL_COLUMNS
from jetssl.data.jets import constituents_of, gather_jets, of_kinds
from jetssl.data.parts import COLUMNS, KIND, LAYERS, Kind
from jetssl.data.table import load_pairs
from jetssl.data.tensors import to_tensors
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from tests.helpers.toys import make_jets, split_by_jet

NAMES = FEATURE_SETS["relative"].names
TYPES = slice(NAMES.index("is_charged_hadron"), None)


def boosted_eta(jets, boost):
    """Pseudorapidity of massive jets after their rapidity has grown by `boost`."""
    transverse_mass = np.hypot(jets.pt, jets.mass)
    rapidity = np.arcsinh(jets.pt * np.sinh(jets.eta) / transverse_mass) + boost
    return np.arcsinh(transverse_mass * np.sinh(rapidity) / jets.pt).astype(np.float32)


def test_jets_are_centred_whatever_their_mass_and_direction(table):
    """The toy jets are massless constituents: their pT-weighted centre is the axis, up to their width squared."""
    row = np.flatnonzero(table.rows.valid[0])
    jets = gather_jets(table, np.zeros(len(row), int), row)
    centre = jets.sums(jets.pt * jets.d_eta) / jets.sums(jets.pt)
    assert np.abs(centre).max() < 0.01


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(0.1, 10), boost=st.floats(-2, 2), phi=st.floats(-7, 7))
def test_no_absolute_scale_or_position(table, scale, boost, phi):
    """Scaling all momenta, a boost along the beam and a rotation about it leave every feature as it is."""
    row = np.flatnonzero(table.rows.valid[0])[:6]
    flat, columns = table.constituents, table.jets
    moved = replace(
        table,
        constituents=replace(
            flat, pt=flat.pt * np.float32(scale), eta=flat.eta + np.float32(boost), phi=flat.phi + np.float32(phi)
        ),
        jets=replace(
            columns,
            pt=columns.pt * np.float32(scale),
            mass=columns.mass * np.float32(scale),
            eta=boosted_eta(columns, boost),
            phi=columns.phi + np.float32(phi),
        ),
    )
    view = np.zeros(6, int)
    before, after = (relative_ip(gather_jets(source, view, row)) for source in (table, moved))
    np.testing.assert_allclose(after, before, atol=1e-4)


def test_types_are_exclusive(jets):
    features = relative(jets)
    assert features.shape == (21, len(NAMES))
    assert features.dtype == np.float32
    assert (features[:, TYPES].sum(1) == 1).all()


@pytest.mark.parametrize(
    ("pdg_id", "charge", "name"),
    [
        (22, 0, "is_photon"),
        (0, 0, "is_neutral_hadron"),
        (130, 0, "is_neutral_hadron"),
        (-11, 1, "is_electron"),
        (13, -1, "is_muon"),
        (-2212, -1, "is_charged_hadron"),
        (3112, -1, "is_charged_hadron"),
    ],
)
def test_type_of(rng, pdg_id, charge, name):
    one = make_jets(rng, [1])
    jet = replace(one, other={"pdg_id": np.array([pdg_id], np.int32), "charge": np.array([charge], np.int8)})
    assert relative(jet)[0, NAMES.index(name)] == 1
    assert relative(jet)[0, NAMES.index("charge")] == charge


def test_momenta(jets):
    energy, *momentum = momenta(jets).astype(np.float64).T
    np.testing.assert_allclose(np.hypot(momentum[0], momentum[1]), jets.pt, rtol=1e-5)
    mass = np.sqrt(np.maximum(energy**2 - sum(p**2 for p in momentum), 0))
    assert np.abs(mass - jets.mass).max() < 0.1


PUBLISHED = """
part_pt_log 1.7 0.7, part_e_log 2.0 0.7, part_logptrel -4.7 0.7, part_logerel -4.7 0.7, part_deltaR 0.2 4.0,
part_charge, part_isChargedHadron, part_isNeutralHadron, part_isPhoton, part_isElectron, part_isMuon,
part_d0, part_d0err 0 1 0 1, part_dz, part_dzerr 0 1 0 1, part_deta, part_dphi
"""
"""Variables of data/JetClass/JetClass_full.yaml: name, subtract, multiply, clip from, clip to."""


def jetclass_variables(jets):
    """The formulas of that file, from four-vectors in the laboratory, in double precision."""
    eta = jets.d_eta.astype(float) + jets.per_constituent(jets.axis)
    p_x, p_y = jets.pt * np.cos(jets.d_phi.astype(float)), jets.pt * np.sin(jets.d_phi.astype(float))
    energy = np.sqrt(p_x**2 + p_y**2 + (jets.pt * np.sinh(eta)) ** 2 + jets.mass.astype(float) ** 2)
    pt, sign = np.hypot(p_x, p_y), jets.per_constituent(np.where(jets.jet_eta > 0, 1, -1))
    kind, other = np.abs(jets.other["pdg_id"]), jets.other
    values = {"part_deta": (eta - jets.per_constituent(jets.jet_eta)) * sign, "part_dphi": jets.d_phi}
    values |= {"part_isPhoton": kind == 22, "part_isElectron": kind == 11, "part_isMuon": kind == 13}
    values |= {"part_isChargedHadron": kind == 211, "part_isNeutralHadron": (kind == 130) | (kind == 0)}
    values |= {"part_charge": other["charge"], "part_d0err": other["d0_err"], "part_dzerr": other["dz_err"]}
    values |= {"part_d0": np.tanh(other["d0"]), "part_dz": np.tanh(other["dz"])}
    values["part_deltaR"] = np.hypot(values["part_deta"], values["part_dphi"])
    values |= {"part_pt_log": np.log(pt), "part_e_log": np.log(energy)}
    values["part_logptrel"] = np.log(pt / jets.per_constituent(jets.jet_pt))
    values["part_logerel"] = np.log(energy / jets.per_constituent(jets.jet_energy))
    return values


@pytest.mark.parametrize(("name", "size"), [("kin", 7), ("kinpid", 13), ("full", 17)])
def test_published_names_and_scalings(rng, name, size):
    jets = make_jets(rng, [30, 1, 25, 7] * 5)
    variables, scalings = jetclass_variables(jets), {}
    for entry in PUBLISHED.replace("\n", " ").split(","):
        variable, *numbers = entry.split()
        scalings[variable] = [float(number) for number in numbers]
    names, features = FEATURE_SETS[name].names, FEATURE_SETS[name].compute(jets)
    assert features.shape[1] == len(names) == size
    assert list(names) == [variable for variable in scalings if variable in names]
    for i, variable in enumerate(names):
        value = variables[variable]
        if scalings[variable]:
            subtract, multiply, *clip = scalings[variable]
            value = ((value - subtract) * multiply).clip(*(clip or (-5, 5)))
        np.testing.assert_allclose(features[:, i], value, rtol=2e-5, atol=2e-5)
    assert features.dtype == np.float32


def test_rs3l(rng):
    jets = make_jets(rng, [30, 1, 25, 7] * 5)
    variables, features = jetclass_variables(jets), FEATURE_SETS["rs3l"].compute(jets)
    sign = jets.per_constituent(np.where(jets.jet_eta > 0, 1, -1))
    wanted = [variables[name] for name in ("part_pt_log", "part_logptrel")]
    wanted += [variables["part_deta"] * sign, jets.d_phi, variables["part_e_log"], variables["part_logerel"]]
    wanted += [jets.other["charge"], variables["part_d0"], variables["part_dz"], variables["part_deltaR"]]
    wanted += [
        variables[f"part_is{kind}"] for kind in ("Photon", "Muon", "Electron", "ChargedHadron", "NeutralHadron")
    ]
    assert features.shape[1] == len(FEATURE_SETS["rs3l"].names) == len(wanted) == 15
    for i, value in enumerate(wanted):
        np.testing.assert_allclose(features[:, i], value, rtol=2e-5, atol=2e-5)


def test_relative_with_impact_parameters(rng):
    """The columns of `relative`, then those of `full` that hold impact parameters."""
    jets = make_jets(rng, [30, 1, 25, 7])
    names, features = FEATURE_SETS["relative_ip"].names, relative_ip(jets)
    assert features.shape[1] == len(names) == 14
    assert names[: len(NAMES)] == NAMES
    np.testing.assert_array_equal(features[:, : len(NAMES)], relative(jets))
    variables = jetclass_variables(jets)
    for name, column in zip(
        ("part_d0", "part_d0err", "part_dz", "part_dzerr"), features.T[len(NAMES) :], strict=True
    ):
        np.testing.assert_allclose(column, variables[name].clip(-1, 1), rtol=1e-6)


def test_scalars_are_columns_of_relative(rng):
    jets = make_jets(rng, [30, 1, 25, 7])
    for values, name, whole in (
        (scalars(jets), "scalars", "relative"),
        (scalars_ip(jets), "scalars_ip", "relative_ip"),
    ):
        features = FEATURE_SETS[whole]
        places = [features.names.index(column) for column in FEATURE_SETS[name].names]
        assert not set(FEATURE_SETS[name].names) & {"log_pt_fraction", "d_eta", "d_phi", "d_r"}
        np.testing.assert_array_equal(values, features.compute(jets)[:, places])


def test_negative_impact_parameters_keep_their_sign(rng):
    one = make_jets(rng, [1])
    jet = replace(one, other={**one.other, "d0": np.array([-0.3], np.float32)})
    for name, column in (("full", "part_d0"), ("relative_ip", "tanh_d0"), ("rs3l", "tanh_d0")):
        features = FEATURE_SETS[name]
        assert features.compute(jet)[0, features.names.index(column)] == pytest.approx(np.tanh(-0.3))


def test_energies_are_those_of_the_file(table):
    row = np.flatnonzero(table.rows.valid[1])
    jets = gather_jets(table, np.ones(len(row), int), row)
    start, count = table.starts[1, row[3]], table.counts[1, row[3]]
    stored = table.constituents.energy[start : start + count]
    np.testing.assert_allclose(split_by_jet(jets, jets.energy)[3], stored, rtol=1e-4)
    np.testing.assert_allclose(jets.sums(jets.energy), jets.jet_energy, rtol=1e-3)


@pytest.fixture(scope="module")
def with_vertices(tmp_path_factory):
    path = write_mock(tmp_path_factory.mktemp("vertices") / "pairs.h5", 60, ("nominal", "seed"), vertices=True)
    columns = tuple(dict.fromkeys((*OPTIONAL_COLUMNS, *COLUMNS[Kind.VERTEX])))
    return path, load_pairs([path], columns=columns)


def test_vertices_follow_the_constituents_of_their_jet(with_vertices):
    path, table = with_vertices
    row = np.flatnonzero(table.rows.valid[1])
    jets = gather_jets(table, np.ones(len(row), int), row)
    with PairFile(path) as file:
        offsets, masses = file.vertex_offsets("seed"), file.vertices("seed", "mass")
        n_constituents = file.jets("seed", "n_constituents")
    for jet, (number, start) in enumerate(zip(row, jets.starts, strict=True)):
        of_jet = slice(start, start + jets.counts[jet])
        flags = jets.other[KIND][of_jet] == Kind.VERTEX
        assert flags.tolist() == [False] * n_constituents[number] + [True] * (offsets[number + 1] - offsets[number])
        assert jets.other["vertex_mass"][of_jet][flags] == pytest.approx(masses[slice(*offsets[number : number + 2])])
        assert not jets.other["vertex_mass"][of_jet][~flags].any()
    assert (jets.other[KIND] == Kind.VERTEX).sum() > 10


def test_without_vertices_jets_are_as_in_a_file_that_has_none(with_vertices):
    path, table = with_vertices
    row = np.flatnonzero(table.rows.valid[0])
    plain = gather_jets(load_pairs([path]), np.zeros(len(row), int), row)
    stripped = constituents_of(gather_jets(table, np.zeros(len(row), int), row))
    for name, features in CONSTITUENT_FEATURES.items():
        np.testing.assert_array_equal(features.compute(stripped), features.compute(plain), err_msg=name)


@pytest.mark.parametrize("name", list(CONSTITUENT_FEATURES))
def test_features_of_the_one_are_zero_for_the_other(name, with_vertices):
    _, table = with_vertices
    row = np.flatnonzero(table.rows.valid[0])
    jets = gather_jets(table, np.zeros(len(row), int), row)
    both = FEATURE_SETS[f"{name}+vertices"]
    values, flags = both.compute(jets), jets.other[KIND] == Kind.VERTEX
    n_own = len(CONSTITUENT_FEATURES[name].names)
    assert values.shape == (len(jets.pt), len(both.names))
    assert not values[flags, :n_own].any()
    assert not values[~flags, n_own:].any()
    np.testing.assert_array_equal(values[~flags, :n_own], CONSTITUENT_FEATURES[name].compute(constituents_of(jets)))
    flight = values[flags, both.names.index("vertex_log_flight_3d")]
    assert flight == pytest.approx(np.log(jets.other["vertex_flight_3d"][flags]), rel=1e-5)
    assert values[flags, -1].all()


@pytest.fixture(scope="module")
def with_cells(tmp_path_factory):
    path = write_mock(tmp_path_factory.mktemp("cells") / "pairs.h5", 30, ("nominal", "seed"), cells=True)
    return path, load_pairs([path], columns=CELLS_AND_TRACKS.columns)


def test_features_of_cells_and_tracks_are_those_of_a_loop(with_cells):
    path, table = with_cells
    row = np.flatnonzero(table.rows.valid[1])
    jets = of_kinds(gather_jets(table, np.ones(len(row), int), row), CELLS_AND_TRACKS.kinds)
    found = split_by_jet(jets, CELLS_AND_TRACKS.compute(jets))
    with PairFile(path) as file:
        for number, jet, values in zip(row, range(len(row)), found, strict=True):
            axis, phi, pt = jets.axis[jet], file.jets("seed", "phi")[number], file.jets("seed", "pt")[number]

            def entries(group, name, number=number):
                return file.group("seed", group, name)[slice(*file.group_offsets("seed", group)[number : number + 2])]

            wanted = []
            for e, eta, angle, layer in zip(
                *(entries("cells", n) for n in ("energy", "eta", "phi", "layer")), strict=True
            ):
                place = (eta - axis) / ANGLE_SCALE, ((angle - phi + np.pi) % (2 * np.pi) - np.pi) / ANGLE_SCALE
                share = (np.log(e / np.cosh(eta) / pt) + 4.5) / 1.5
                wanted.append([share, *place, *(np.arange(LAYERS) == layer), *[0] * 6])
            for theta, angle, curvature, d0, z0 in zip(
                *(entries("tracks", n) for n in ("theta", "phi", "q_over_p", "d0", "z0")), strict=True
            ):
                eta = -np.log(np.tan(theta / 2))
                place = (eta - axis) / ANGLE_SCALE, ((angle - phi + np.pi) % (2 * np.pi) - np.pi) / ANGLE_SCALE
                bending = np.sign(curvature) * np.log(1 + pt / (np.sin(theta) / abs(curvature)))
                wanted.append([*[0] * 9, np.tanh(d0), np.tanh(z0), *place, bending, 1])
            np.testing.assert_allclose(values, wanted, rtol=1e-4, atol=1e-4)
    assert (jets.other[KIND] == Kind.TRACK).sum() > 10


def test_cells_hide_behind_no_constituent(with_cells):
    """Where constituents are asked for, cells beside them change nothing."""
    path, table = with_cells
    row, nominal = np.flatnonzero(table.rows.valid[0]), np.zeros(table.rows.valid[0].sum(), int)
    plain = to_tensors(gather_jets(load_pairs([path]), nominal, row), "kin")
    beside = to_tensors(gather_jets(table, nominal, row), "kin")
    assert all(torch.equal(one, other) for one, other in zip(plain[:3], beside[:3], strict=True))


def test_a_file_without_vertices_is_named(mock_file):
    with pytest.raises(InputError, match="has no secondary vertices"):
        load_pairs([mock_file], columns=FEATURE_SETS["relative+vertices"].columns)


@pytest.mark.parametrize("name", CONSTITUENT_FEATURES)
def test_types_are_found_wherever_they_stand(name, rng):
    jets, places = make_jets(rng, [40]), type_places(name)
    assert (name in TYPED) == bool(places)
    if places:
        found = FEATURE_SETS[name].compute(jets)[:, places]
        assert np.array_equal(found, np.stack(types(jets), axis=1).astype(np.float32))
        assert (found.sum(1) == 1).all()
