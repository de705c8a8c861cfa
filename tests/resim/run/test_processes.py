"""Worker processes that end at any moment: the run says so, and nothing waits for ever."""

import os
import pickle
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.run import processes
from resim.run.chunks import Chunk
from resim.run.generate import generate
from tests.helpers.chain import N_EVENTS

OPTIONS = RunOptions(n_events=N_EVENTS, quiet=True)
POSIX_PIPE_BUF = 512


@pytest.mark.slow
def test_a_dead_worker_is_reported_and_its_run_can_go_on(card, pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "process", _die)
    output = tmp_path / "pairs.h5"
    with pytest.raises(InputError, match=r"a worker process died .* --resume"):
        generate(card, output, replace(OPTIONS, workers=2))
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    generate(card, output, replace(OPTIONS, resume=True))
    assert digest(output) == digest(pairs)


def _die(plan, chunk):
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["_take", "_write"])
def test_a_worker_killed_while_it_reads_or_writes_is_reported(card, tmp_path, monkeypatch, moment):
    monkeypatch.setattr(processes, "process_file", _die_in_write if moment == "_write" else _die_in_take)
    with pytest.raises(InputError, match="a worker process died"):
        generate(card, tmp_path / "pairs.h5", replace(OPTIONS, workers=2))
    assert list(tmp_path.iterdir()) == []


def _die_in_take(simulate, path):
    with path.open("rb") as file:
        file.read(10)
        os.kill(os.getpid(), signal.SIGKILL)


def _die_in_write(simulate, path):
    with path.with_suffix(".result").open("wb") as file:
        file.write(b"half")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)


def test_what_goes_through_the_pipes_is_written_whole_or_not_at_all():
    """With room for what the pool adds, and for a long name of the folder for temporary files."""
    path = Path("/") / ("a" * 100) / "resim-chunks-abcdefgh/1000000.chunk"
    assert len(pickle.dumps((processes.process_file, processes.process, path))) < POSIX_PIPE_BUF - 150


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"missing/0\.chunk: cannot be written .*TMPDIR"):
        processes._write(tmp_path / "missing" / "0.chunk", Chunk(0, 0, ()))
