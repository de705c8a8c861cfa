"""Fast kinematics against NumPy in double precision."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetssl.data.kinematics import PI, energies, hypotenuse, masses, sinh, wrapped
from resim.common.angles import wrap


@given(st.floats(-30, 30, width=32))
def test_wrapped_angles(angle):
    found = wrapped(np.array([angle], np.float32))[0]
    assert -PI <= found < PI
    assert abs(wrap(np.array(float(found) - angle))) < 1e-5
    if -PI <= np.float32(angle) < PI:
        assert found == np.float32(angle)


def test_functions_of_one_column():
    x = np.linspace(-6, 6, 101, dtype=np.float32)
    assert sinh(x) == pytest.approx(np.sinh(x.astype(float)), abs=1e-4, rel=1e-5)
    assert hypotenuse(x, x) == pytest.approx(np.hypot(x, x).astype(float), rel=1e-6)


def test_masses_of_energies():
    pt, eta, mass = (np.array(values, np.float32) for values in ([10, 500, 3], [0, 1.5, -2], [5, 100, 0]))
    energy = energies(pt, mass, (pt * np.sinh(eta)).astype(np.float32))
    assert masses(pt, eta, energy) == pytest.approx(mass, abs=0.01)
    assert masses(pt, eta, 0.9 * energy)[2] == 0  # E < p by rounding: no NaN
