"""Neighbours against all pairs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from resim.detector.neighbours import Points, pairs_within, turn_between


def points(generator: np.random.Generator, n: int) -> Points:
    """Also on the edges of cells, and at both ends of the azimuth."""
    y, phi = generator.uniform(-5, 5, n), generator.uniform(-np.pi, np.pi, n)
    y[::4], phi[::5] = np.round(y[::4], 1), np.pi
    return Points(generator.integers(0, 3, n), y, phi)


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(0, 60), st.sampled_from([0.1, 0.2, 0.4, 0.8, 2.5, 4])
)
def test_pairs_are_those_of_a_comparison_of_all(seed, n, m, radius):
    generator = np.random.default_rng(seed)
    a, b = points(generator, n), points(generator, m)
    distance2 = turn_between(a.phi[:, None], b.phi) ** 2 + (a.y[:, None] - b.y) ** 2
    expected = np.argwhere((distance2 <= radius**2) & (a.event[:, None] == b.event))
    assert np.array_equal(np.stack(pairs_within(a, b, radius), axis=1), expected)


def test_a_point_is_its_own_neighbour_once_in_a_cone_of_any_size():
    alone = Points(np.zeros(1, np.int64), np.zeros(1), np.array([3.0]))
    for radius in (1e-3, 0.4, 3.0, 10.0):
        assert [rows.tolist() for rows in pairs_within(alone, alone, radius)] == [[0], [0]]


def test_angles_between_azimuths():
    assert turn_between(np.array([3.1, 0.0]), np.array([-3.1, np.pi])).round(6).tolist() == [0.083185, 3.141593]
