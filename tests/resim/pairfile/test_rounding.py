import numpy as np
import pytest

from resim.pairfile import schema
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.rounding import BITS, STEP, rounded, rounded_block, with_bits


@pytest.fixture(scope="module")
def constituents():
    rng = np.random.default_rng(1)
    n = 4000
    columns = {"pt": np.sort(rng.exponential(20, n))[::-1] + 0.1, "eta": rng.normal(0, 2, n)}
    columns |= {"phi": np.append(rng.uniform(-np.pi, np.pi, n - 2), [np.float32(np.pi), -3.14159])}
    mass = np.where(np.arange(n) % 2, 0.0, 0.13957)
    columns |= {"energy": np.hypot(columns["pt"] * np.cosh(columns["eta"]), mass), "charge": np.ones(n)}
    columns |= {"pdg_id": np.full(n, 211)} | {name: rng.standard_cauchy(n) for name in ("d0", "dz")}
    columns |= {name: rng.exponential(0.1, n) for name in ("d0_err", "dz_err")}
    return {c.name: np.asarray(columns[c.name]).astype(c.dtype) for c in schema.CONSTITUENTS}


def test_columns_move_by_less_than_is_promised(constituents):
    found = rounded(constituents)
    for name, bits in BITS.items():
        assert np.abs(found[name] / constituents[name] - 1).max() <= 2.0 ** -(bits + 1)
        assert (found[name].view(np.uint32) & (2 ** (23 - bits) - 1) == 0).all()
    for name in ("eta", "phi"):
        moved = np.abs(found[name].astype(float) - constituents[name])
        assert moved[:-2].max() <= STEP / 2
        assert moved.max() < 6e-5
    assert (np.abs(found["phi"]) <= np.pi).all()
    assert (np.diff(found["pt"]) <= 0).all()
    for column in schema.CONSTITUENTS:
        assert found[column.name].dtype == np.dtype(column.dtype)
    for name in ("charge", "pdg_id"):
        assert np.array_equal(found[name], constituents[name])


def test_masses_of_particles_stay(constituents):
    """The square of the mass is as it was, to the last bits of float32 energies."""

    def mass_squared(columns):
        pt, eta, energy = (columns[name].astype(float) for name in ("pt", "eta", "energy"))
        return energy**2 - (pt * np.cosh(eta)) ** 2

    change = mass_squared(rounded(constituents)) - np.maximum(mass_squared(constituents), 0)
    assert np.abs(change / constituents["energy"].astype(float) ** 2).max() < 2.0**-22


def test_twice_is_as_once(constituents):
    once = rounded(constituents)
    twice = rounded(once)
    for name in once:
        if name != "energy":
            assert np.array_equal(once[name], twice[name]), name
    assert np.array_equal(once["energy"], twice["energy"])


@pytest.mark.parametrize("bits", [3, 10, 13])
def test_bits_against_a_slow_loop(bits):
    values = np.array([0.0, -0.0, 1.0, 1.1, -2.7, 3e-39, 1e30, np.inf, 1 + 2.0 ** -(bits + 1), -77.77], np.float32)

    def slowly(value):
        if value == 0 or np.isinf(value):
            return value
        unit = 2.0 ** (max(np.floor(np.log2(abs(value))), -126) - bits)
        return np.float32(np.rint(float(value) / unit) * unit)

    assert with_bits(values, bits).tolist() == [float(slowly(value)) for value in values]


def test_every_view_of_a_block_is_rounded_and_nothing_else(tmp_path):
    with PairFile(write_mock(tmp_path / "m.h5", 20)) as file:
        block = file.block(0, 20)
    found = rounded_block(block)
    changed = {path for path, values in block.arrays.items() if values.tobytes() != found.arrays[path].tobytes()}
    assert {path.split("/")[2] for path in changed} == {"constituents"}
    assert {path.split("/")[1] for path in changed} == set(block.views)
