"""The command `resim pileup`."""

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.detector import minimum_bias
from resim.detector.minimum_bias import PoolOptions, make_pool
from resim.detector.pool import Pool
from tests.helpers.chain import run_cli


@pytest.mark.slow
def test_equal_seeds_give_equal_bytes_and_longer_pools_begin_alike(quick, tmp_path):
    for name, n_events, seed in (("a", 12, 5), ("b", 12, 5), ("longer", 14, 5), ("other", 12, 6)):
        make_pool(tmp_path / name, PoolOptions(n_events, seed=seed, card=quick, quiet=True))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    pools = {path.name: Pool.open(path) for path in tmp_path.iterdir()}
    a, longer, other = (pools[name].take(np.arange(12)) for name in ("a", "longer", "other"))
    assert np.array_equal(a.px, longer.px)
    assert not np.array_equal(a.px, other.px)


def test_the_command_makes_a_pool_and_refuses_to_replace_it(quick, tmp_path):
    output = tmp_path / "pool.h5"
    arguments = ("pileup", "-n", 3, "-o", output, "--seed", 9, "--card", quick, "--e-cm", 8000, "--quiet")
    found = run_cli(*arguments)
    assert (found.exit_code, found.stdout) == (0, f"{output}: 3 minimum-bias events\n")
    provenance = Pool.open(output).provenance
    assert (provenance.seed, provenance.e_cm) == (9, 8000)
    assert provenance.settings[-2] == "Tune:pp = 21"
    assert isinstance(run_cli(*arguments).exception, InputError)
    assert list(tmp_path.iterdir()) == [output]


def test_an_interrupted_pool_leaves_nothing_behind(quick, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(minimum_bias, "_make_event", interrupt)
    with pytest.raises(KeyboardInterrupt):
        make_pool(tmp_path / "pool.h5", PoolOptions(5, card=quick, quiet=True))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_events": 0}, "--n-events 0: must be at least 1"),
        ({"n_events": 1, "seed": 0}, "--seed 0: must be in 1"),
        ({"n_events": 1, "e_cm": -1.0}, "--e-cm -1.0: must be positive"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(InputError, match=message):
        PoolOptions(**options)


def test_a_pythia_card_cannot_change_what_a_pool_is(tmp_path):
    (tmp_path / "bad.cmnd").write_text("Beams:eCM = 7000\n")
    with pytest.raises(InputError, match=r"bad\.cmnd:1: sets Beams:eCM"):
        make_pool(tmp_path / "pool.h5", PoolOptions(1, card=tmp_path / "bad.cmnd", quiet=True))
