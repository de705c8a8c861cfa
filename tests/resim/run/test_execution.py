"""Chunks made elsewhere give the same arrays."""

import os
import signal
import threading
from dataclasses import replace

import pytest

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.run import execution
from resim.run.generate import generate
from tests.helpers.chain import N_EVENTS
from tests.helpers.waiting import wait_until

OPTIONS = RunOptions(n_events=N_EVENTS, chunk_size=2, quiet=True)


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=100
    ) as started:
        yield started


@pytest.mark.slow
def test_a_dask_cluster_that_loses_a_worker_gives_the_arrays_of_one_process(cluster, card, pairs, tmp_path):
    output = tmp_path / "pairs.h5"
    victim = cluster.workers[0].pid

    def kill_when_at_work() -> None:
        wait_until(lambda: list(tmp_path.glob("pairs.h5.chunks/*.npz")))
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill_when_at_work)
    killer.start()
    generate(card, output, replace(OPTIONS, scheduler=cluster.scheduler_address))
    killer.join()
    wait_until(lambda: cluster.workers[0].pid not in (victim, None))
    assert digest(output) == digest(pairs)


def test_no_scheduler_at_the_address(card, tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "_SECONDS_TO_CONNECT", 1)
    with pytest.raises(InputError, match=r"--scheduler tcp://127\.0\.0\.1:9: no Dask scheduler answers there"):
        generate(card, tmp_path / "pairs.h5", replace(OPTIONS, scheduler="tcp://127.0.0.1:9"))
    assert list(tmp_path.iterdir()) == []


def test_the_scheduler_has_its_own_workers():
    with pytest.raises(InputError, match="--workers 2: the workers of --scheduler do the work"):
        RunOptions(scheduler="tcp://127.0.0.1:9", workers=2)
