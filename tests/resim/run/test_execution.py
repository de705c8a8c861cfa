"""Chunks made elsewhere give the same arrays."""

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest

from resim.card.run_options import RunOptions
from resim.common.cards import read_yaml
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.run import execution
from resim.run.generate import generate
from tests.helpers.chain import N_EVENTS, REPOSITORY
from tests.helpers.hosts import MASTER, network, want_network
from tests.helpers.programs import ENVIRONMENT
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


GENERATE = [sys.executable, "-c", "from resim.cli import main; main()", "generate"]
IMPATIENT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s"}
"""How long Dask waits for a host that is silent: 30 s by default, no less than 11 s."""


def command_of(service, address):
    """What docker/compose.yaml starts as a service, for a scheduler at another address."""
    command = read_yaml(REPOSITORY / "docker/compose.yaml")["services"][service]["entrypoint"]
    return [sys.executable, "-m", *(word.replace("tcp://scheduler:8786", address) for word in command)]


@pytest.mark.slow
def test_of_two_hosts_one_is_cut_off_and_one_is_slow(card, pairs, tmp_path):
    want_network("test_a_dask_cluster_that_loses_a_worker_gives_the_arrays_of_one_process")
    output, address = tmp_path / "pairs.h5", f"tcp://{MASTER}:8786"
    options = {"env": {**ENVIRONMENT, **IMPATIENT}, "stderr": subprocess.PIPE, "text": True}
    with network(2) as net, ExitStack() as stack:

        def start(place, *command):
            process = stack.enter_context(subprocess.Popen([*place, *map(str, command)], **options))
            stack.callback(process.kill)
            return process

        net.slow_down(3, "1mbit")
        start(net.on_master(), *command_of("scheduler", address))
        for number in (2, 3):
            start(net.on_host(number), *command_of("worker", address))
        run = ["-n", N_EVENTS, "--chunk-size", 2, "--scheduler", address]
        main = start(net.on_master(), *GENERATE, card, "-o", output, *run)
        wait_until(lambda: list(tmp_path.glob("pairs.h5.chunks/*.npz")) or main.poll() is not None)
        net.cut_off(2)
        said = main.communicate(timeout=300)[1]
    lost = [line for line in said.splitlines() if "is lost: its unfinished chunks are made again" in line]
    assert len(lost) == 1, said
    assert lost[0].startswith("worker tcp://10.77.0.2:")
    assert digest(output) == digest(pairs)


def test_what_is_said_of_workers(caplog):
    workers = execution._Workers("tcp://master:8786")
    with caplog.at_level(logging.WARNING):
        assert workers.update([]) == 0
        assert workers.update([]) == 0
        assert workers.update({"tcp://a:1": 1, "tcp://b:1": 1}) == 2
        assert workers.update({"tcp://b:1": 1, "tcp://c:1": 1}) == 2
        assert workers.update([]) == 0
    waiting = "tcp://master:8786: has no worker; waiting until one comes (`dask worker tcp://master:8786`)"
    lost = "worker tcp://{}:1 is lost: its unfinished chunks are made again by another one"
    assert caplog.messages == [waiting, lost.format("a"), lost.format("b"), lost.format("c"), waiting]


def test_no_scheduler_at_the_address(card, tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "_SECONDS_TO_CONNECT", 1)
    with pytest.raises(InputError, match=r"--scheduler tcp://127\.0\.0\.1:9: no Dask scheduler answers there"):
        generate(card, tmp_path / "pairs.h5", replace(OPTIONS, scheduler="tcp://127.0.0.1:9"))
    assert list(tmp_path.iterdir()) == []


def test_the_scheduler_has_its_own_workers():
    with pytest.raises(InputError, match="--workers 2: the workers of --scheduler do the work"):
        RunOptions(scheduler="tcp://127.0.0.1:9", workers=2)
