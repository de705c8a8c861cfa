"""Pools of minimum-bias events: what they hold, and what is not one."""

import pickle
import subprocess
import sys

import h5py
import numpy as np
import pytest

from resim.common.errors import InputError
from resim.common.ragged import owners_of
from resim.detector.pool import PARTICLE, Pool, PoolProvenance, write_pool
from resim.particles import Particles
from tests.helpers.particles import N_POOL, part, particle

PROVENANCE = PoolProvenance(1, 13000.0, (), {})


def test_a_pool_holds_what_pythia_made(pool):
    everything = pool.take(np.arange(pool.n_events))
    assert pool.n_events == everything.n_events == N_POOL
    assert pool.provenance.e_cm == 13000
    assert {"SoftQCD:nonDiffractive = on", "ParticleDecays:tau0Max = 10"} <= set(pool.provenance.settings)
    assert pool.provenance.versions["pythia8mc"] == "8.317.2"
    events = owners_of(everything.offsets)
    energy, pz, charge = (np.bincount(events, getattr(everything, name)) for name in ("energy", "pz", "charge"))
    assert energy == pytest.approx(13000, rel=1e-5)  # every final particle is there, as 32-bit floats
    assert pz == pytest.approx(0, abs=0.05)
    assert charge.tolist() == [2] * N_POOL  # two protons
    assert np.hypot(everything.vx, everything.vy).max() > 1  # displaced decays
    assert 100 < pool.mean_particles < 300


def test_events_of_a_pool_can_be_taken_in_any_order(pool):
    everything, some = pool.take(np.arange(pool.n_events)), pool.take(np.array([7, 3, 7]))
    for row, entry in enumerate([7, 3, 7]):
        a, b = part(some, row, row + 1), part(everything, entry, entry + 1)
        assert all(np.array_equal(getattr(a, name), getattr(b, name)) for name in Particles.__slots__)
    assert pool.take(np.empty(0, np.int64)).n_events == 0
    assert np.array_equal(pickle.loads(pickle.dumps(pool)).take(np.array([5])).px, pool.take(np.array([5])).px)  # noqa: S301


def damage(change):
    def write(path):
        write_pool(path, [particle()], PROVENANCE)
        with h5py.File(path, "r+") as file:
            change(file)

    return write


def chunked(file):
    del file["px"]
    file.create_dataset("px", data=np.ones(1, np.float32), chunks=(1,))


def no_column(file):
    del file["vz"]


def descending(file):
    file["offsets"][:] = (1, 1)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "no such file; make a pool with `resim pileup`"),
        (lambda path: path.write_text("pool"), "not a readable HDF5 file .*; make a pool with"),
        (lambda path: path.mkdir(), "no such file"),
        (lambda path: h5py.File(path, "w").close(), "HDF5, but not a pool"),
        (lambda path: write_pool(path, [], PROVENANCE), "the pool has no events"),
        (lambda path: write_pool(path, [np.empty(0, PARTICLE)], PROVENANCE), "the pool has no events"),
        (damage(lambda file: file.attrs.update({"schema_version": 2})), "schema version 2, this resim reads 1"),
        (damage(lambda file: file.attrs.update({"provenance": "[]"})), "damaged pool"),
        (damage(no_column), "damaged pool .*vz"),
        (damage(chunked), "damaged pool .*px is not contiguous"),
        (damage(descending), "damaged pool .*do not ascend"),
    ],
)
def test_what_is_not_a_pool_is_said_in_one_line(tmp_path, write, message):
    path = tmp_path / "pool.h5"
    write(path)
    with pytest.raises(InputError, match=message) as caught:
        Pool.open(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from resim.common.errors import InputError
from resim.detector.pool import PARTICLE, PoolProvenance, write_pool

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
try:
    write_pool(Path(sys.argv[2]), 4 * [np.zeros(1000, PARTICLE)], PoolProvenance(1, 13000.0, (), {}))
except InputError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("kilobytes", [1, 100, 143])
def test_a_full_disk_is_one_line(tmp_path, kilobytes):
    """Of 144 kB of particles, which wait in an unnamed file before they are written to the pool."""
    command = [sys.executable, "-c", LIMITED, str(1000 * kilobytes), str(tmp_path / "pool.h5")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    message = f"{tmp_path / 'pool.h5'}: cannot be written (File too large); make room or choose another -o\n"
    assert (done.returncode, done.stderr) == (1, message)
    assert not list(tmp_path.iterdir())
