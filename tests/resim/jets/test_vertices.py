"""Secondary vertices of jets: what is measured of them, which are kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.card.jet_settings import VertexSettings
from resim.common.ragged import offsets_of
from resim.common.units import K_SHORT_MASS
from resim.detector.random import Stream
from resim.jets.vertices import JetConstituents, secondary_vertices
from tests.helpers.particles import tracks_from

STREAM = Stream.of(np.array([1, 2], np.uint64), "vertices")


def jets_of(points, lengths, *, eta=None, phi=None, pt=None, errors=(0.02, 0.05)):
    """Jets along x with these numbers of tracks, from points `(n_tracks, 3)` in mm; jet `i` belongs to event `i % 2`."""
    points = np.asarray(points, float)
    n = len(points)
    spread = np.linspace(-0.1, 0.1, n)
    eta = spread if eta is None else np.asarray(eta)
    phi = -(spread[::-1] ** 2) if phi is None else np.asarray(phi)
    tracks = tracks_from(points, np.full(n, 10.0) if pt is None else np.asarray(pt, float), eta, phi)
    columns = {name: getattr(tracks, name) for name in type(tracks).__dataclass_fields__}
    columns |= {"offsets": offsets_of(lengths), "d0_err": np.full(n, errors[0]), "dz_err": np.full(n, errors[1])}
    columns["charge"] = np.where(np.arange(n) % 2, -1.0, 1.0)
    zeros, item = np.zeros(len(lengths)), np.arange(n)
    return JetConstituents(type(tracks)(**columns), zeros, zeros, np.arange(len(lengths)) % 2, item, points)


@pytest.mark.parametrize("source", ["fit", "truth"])
def test_columns_of_one_vertex(source):
    jets = jets_of(np.tile([4.0, 0, 0.3], (3, 1)), [3])
    vertices = secondary_vertices(jets, VertexSettings(source=source, along_mm=1e-6, across_mm=1e-6), STREAM)
    columns = {name: values[0] for name, values in vertices.columns.items()}
    assert vertices.offsets.tolist() == [0, 1]
    p = jets.particles
    total = np.array([p.px.sum(), p.py.sum(), p.pz.sum()])
    assert columns["n_tracks"] == 3
    assert columns["pt"] == pytest.approx(np.hypot(*total[:2]))
    assert columns["mass"] == pytest.approx(np.sqrt(p.energy.sum() ** 2 - total @ total))
    assert columns["flight_2d"] == pytest.approx(4, rel=1e-4)
    assert columns["flight_3d"] == pytest.approx(np.hypot(4, 0.3), rel=1e-4)
    cosine = total @ [4, 0, 0.3] / np.linalg.norm(total) / np.hypot(4, 0.3)
    assert columns["cos_pointing"] == pytest.approx(cosine, rel=1e-6)
    assert columns["chi2_ndf"] == pytest.approx(0, abs=1e-3)


def test_smearing_is_the_stated_one():
    n = 800
    jets = jets_of(np.tile([10.0, 0, 0], (2 * n, 1)), [2] * n, eta=np.tile([0.1, -0.1], n), phi=np.zeros(2 * n))
    settings = VertexSettings(source="truth", along_mm=0.5, across_mm=0.02)
    vertices = secondary_vertices(jets, settings, STREAM)
    shift = vertices.columns["flight_3d"] - 10
    assert shift.std() == pytest.approx(0.5, rel=4 / np.sqrt(2 * n))
    assert abs(shift.mean()) < 4 * 0.5 / np.sqrt(n)
    assert vertices.columns["flight_3d_significance"] == pytest.approx(vertices.columns["flight_3d"] / 0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("point", "settings"),
    [
        ([30, 0, 0], {}),
        ([8, 0, 0], {"flight_2d_max_mm": 4.0}),
        ([0.5, 0, 0], {"along_mm": 0.5}),
        ([0, 8, 0], {}),
        ([8, 0, 0], {"mass_max": 0.3}),
        ([8, 0, 0], {"track_pt_min": 20.0}),
    ],
)
def test_vertices_that_are_not_kept(point, settings):
    jets = jets_of(np.tile(point, (2, 1)), [2])
    vertices = secondary_vertices(jets, VertexSettings(source="truth", **settings), STREAM)
    assert vertices.offsets.tolist() == [0, 0]


def test_k_short_is_not_kept_and_its_neighbours_are():
    half_angle = np.arcsin(np.sqrt(K_SHORT_MASS**2 / 4 - 0.13957**2) / 10)
    points = np.tile([8.0, 0, 0], (2, 1))
    for factor, n_kept in ((1, 0), (2, 1)):
        jets = jets_of(points, [2], eta=np.zeros(2), phi=[factor * half_angle, -factor * half_angle])
        vertices = secondary_vertices(jets, VertexSettings(source="truth"), STREAM)
        assert vertices.offsets[-1] == n_kept


def test_two_tracks_of_one_decay_are_needed():
    jets = jets_of([[8, 0, 0], [6, 0, 0], [0, 0, 0], [0, 0, 0]], [2, 2])
    assert secondary_vertices(jets, VertexSettings(source="truth"), STREAM).offsets.tolist() == [0, 0, 0]


def test_unknown_origins_make_no_vertex():
    jets = jets_of(np.full((2, 3), np.nan), [2])
    assert secondary_vertices(jets, VertexSettings(source="truth"), STREAM).offsets.tolist() == [0, 0]


def test_a_fit_needs_measured_tracks():
    exact = jets_of(np.tile([8.0, 0, 0], (2, 1)), [2], errors=(0.0, 0.0))
    assert secondary_vertices(exact, VertexSettings(source="fit"), STREAM).offsets.tolist() == [0, 0]


@pytest.mark.slow
@given(st.integers(0, 2**31), st.sampled_from(["fit", "truth"]))
def test_a_jet_has_the_same_vertices_alone_and_in_a_batch(seed, source):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 7, 6)
    points = rng.choice([[0.0, 0, 0], [6, 0.2, 0.1], [12, -0.5, 0.4]], lengths.sum())
    n = len(points)
    eta, phi = rng.normal(0, 0.1, (2, n))
    jets = jets_of(points, lengths, eta=eta, phi=phi, pt=rng.uniform(0.5, 20, n))
    together = secondary_vertices(jets, VertexSettings(source=source), STREAM)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    significance = together.columns["flight_3d_significance"]
    for i in range(6):
        inside = np.arange(starts[i], starts[i + 1])
        alone = JetConstituents(
            jets.particles.take(inside, offsets_of([len(inside)])),
            jets.jet_eta[i : i + 1],
            jets.jet_phi[i : i + 1],
            jets.event[i : i + 1],
            jets.item[inside],
            jets.origin[inside],
        )
        found = secondary_vertices(alone, VertexSettings(source=source), STREAM)
        of_jet = slice(*together.offsets[i : i + 2])
        assert (np.diff(significance[of_jet]) <= 0).all()
        for name, values in found.columns.items():
            assert values == pytest.approx(together.columns[name][of_jet], rel=1e-6, abs=1e-9), name
