import h5py
import pytest

from jetssl.weak.shift import proxy_a_distance, shift
from resim.pairfile.mock import write_mock


@pytest.fixture
def files(tmp_path):
    """Twice the same distribution, and one whose masses are 40 GeV higher."""
    paths = [write_mock(tmp_path / f"{seed}.h5", 400, seed=seed) for seed in (1, 2, 3)]
    with h5py.File(paths[2], "a") as file:
        masses = file["views/nominal/jets/mass"]
        masses[:] = masses[:] + 40
    return [(str(path),) for path in paths]


def test_no_shift_is_zero_within_errors(domain_of, files):
    for found in shift(domain_of(files=files[0]), domain_of("data", files=files[1]), 1):
        assert found.error > 0
        assert abs(found.value - found.null) < 5 * found.error, found


def test_a_shift_of_the_mass_is_found_by_its_amount(domain_of, files):
    found = {one.name: one for one in shift(domain_of(files=files[0]), domain_of("data", files=files[2]), 1)}
    mass = found["wasserstein_mass"]
    assert mass.value == pytest.approx(40, abs=4 * mass.error + 2)
    assert mass.value > 5 * mass.null
    assert found["proxy_a_distance"].value > 5 * found["proxy_a_distance"].error
    assert found["wasserstein_softdrop_mass"].value < 20


@pytest.mark.slow
def test_same_seed_same_errors(domain_of, files):
    domains = domain_of(files=files[0]), domain_of("data", files=files[1])
    assert shift(*domains, 1) == shift(*domains, 1)


@pytest.mark.parametrize(("error", "distance"), [(0.5, 0), (0.0, 2), (0.25, 1)])
def test_proxy_a_distance(error, distance):
    assert proxy_a_distance(error) == distance
