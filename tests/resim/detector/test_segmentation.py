"""Towers against a search and the numbers of the card."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resim.common.errors import InputError
from resim.detector.segmentation import Bins

edges_of_a_card = st.floats(-5, 5).map(lambda x: float(f"{x:.12g}") if abs(x) > 1e-300 else 0.0)


@given(
    st.lists(edges_of_a_card, min_size=2, max_size=30, unique=True),
    st.lists(st.floats(-6, 6), max_size=30),
)
@example([0.0, 1e-299], [0.0, 5e-300, 1e-299])
def test_bins_agree_with_a_search(edges, points):
    edges = sorted(edges)
    points = np.array([*points, *edges], float)
    expected = [next((i for i in range(len(edges) - 1) if edges[i] < p <= edges[i + 1]), -1) for p in points]
    assert Bins.of(edges).locate(points).tolist() == expected


def test_edges_too_close_to_divide_are_refused():
    with pytest.raises(InputError, match=r"the edges 0 and 4\.94066e-324 are too close; remove one"):
        Bins.of([0.0, 5e-324])


def test_towers_of_the_card(cms):
    """DELPHES_CMS, section 5: the number of phi bins is that of the upper eta edge."""
    towers = dict(cms.modules)["ECal"].segmentation
    eta = np.array([-2.97, -2.957, 0.0, 1e-9, 2.958, 2.9581, 5.0, 5.001, -5.0])
    located = towers.locate(eta, np.full(9, 0.1))
    sizes = np.diff(towers.first)[np.where(located >= 0, towers.eta_bin[located], 0)]
    assert np.where(located >= 0, sizes, 0).tolist() == [36, 360, 360, 360, 360, 36, 36, 0, 0]
    assert located[2] + 360 == located[3]  # (lo, hi]: 0 belongs to the bin below
    last = towers.first[towers.eta_bin[located[2]] + 1] - 1
    assert towers.locate(np.zeros(2), np.array([np.pi, -np.pi])).tolist() == [last, last]
    hcal = dict(cms.modules)["HCal"].segmentation
    assert sorted(np.unique(np.diff(hcal.first))) == [18, 36, 72]


@given(number=st.integers(0, 2**32), part=st.floats(0.001, 0.999))
def test_points_of_towers_lie_in_them(cms, number, part):
    towers = dict(cms.modules)["HCal"].segmentation
    tower = np.array([number % towers.n_towers])
    eta, phi = towers.point(tower, np.array([part]), np.array([1 - part]))
    middle, _ = towers.point(tower, np.array([0.5]), np.array([0.5]))
    assert towers.locate(eta, phi).tolist() == tower.tolist()
    assert towers.centre_eta(tower) == pytest.approx(middle)
