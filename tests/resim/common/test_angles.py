"""Azimuths in [-pi, pi)."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from resim.common.angles import wrap


@given(st.floats(-3.1, 3.1), st.integers(-5, 5))
def test_whole_turns_change_nothing(angle, turns):
    assert abs(wrap(np.array(angle + 2 * np.pi * turns)) - angle) < 1e-9


def test_pi_is_minus_pi_and_the_type_stays():
    angles = wrap(np.array([np.pi, -np.pi, 0], np.float32))
    assert angles.dtype == np.float32
    assert np.allclose(angles, [-np.pi, -np.pi, 0], atol=1e-6)
