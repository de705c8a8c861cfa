"""Steps are made once, in order of their stages, and side by side to the same files."""

import json
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from jetssl.study.steps import STEPS_FILE, Step, make_steps
from resim.common.errors import InputError


def write(path: Path, needs: Path | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("made" if needs is None else needs.read_text())


def fail_after_first(path: Path) -> None:
    """Once step 0 is made: an error ends what still runs beside it."""
    while not (path.parents[1] / "first_0" / "file").exists():
        os.sched_yield()
    raise InputError(f"{path}: cannot be made")


def be_killed(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def step(folder: Path, stage: str, number: int, make=write, alone=False) -> Step:
    path = folder / f"{stage}_{number}" / "file"
    return Step(f"{stage} {number}", stage, path.parent, path.exists, partial(make, path), alone)


def of_two_stages(folder):
    first = [step(folder, "first", number) for number in range(3)]
    needs = first[2].folder / "file"
    second = step(folder, "second", 0)
    return [
        *first,
        Step("second", "second", second.folder, second.done, partial(write, second.folder / "file", needs)),
    ]


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_each_is_made_once(tmp_path, jobs, caplog):
    steps = of_two_stages(tmp_path)
    records = make_steps(steps, tmp_path, jobs)
    assert [record.title for record in records] == [one.title for one in steps]
    assert all(one.done() for one in steps)
    assert len(json.loads((tmp_path / STEPS_FILE).read_text())) == 4
    (tmp_path / "first_0" / "file").write_text("kept")
    assert make_steps(steps, tmp_path, jobs) == records
    assert (tmp_path / "first_0" / "file").read_text() == "kept"


@pytest.mark.slow
def test_what_is_said_beside_others_is_in_a_file_and_an_error_keeps_what_is_made(tmp_path):
    steps = [step(tmp_path, "first", 0), step(tmp_path, "first", 1, fail_after_first)]
    with pytest.raises(InputError, match="first_1/file: cannot be made"):
        make_steps(steps, tmp_path, 2)
    assert (tmp_path / "first_1.log").is_file()
    assert steps[0].done()


def begin(path: Path) -> None:
    """A training: at SIGTERM it saves itself and says that it is not finished."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    write(path.with_name("began"))
    while not all((path.parents[1] / f"first_{number}" / "began").exists() for number in range(2)):
        os.sched_yield()
    if path.parent.name == "first_0":
        raise InputError("no room")
    signal.pause()


@pytest.mark.slow
def test_nothing_waits_for_a_worker_when_all_is_to_end(tmp_path):
    """A pool begins what is in its queue, and one would wait for a training that was begun after Ctrl-C."""
    steps = [step(tmp_path, "first", number, begin) for number in range(2)]
    steps += [step(tmp_path, "first", number) for number in range(2, 6)]
    with pytest.raises(InputError, match="no room"):
        make_steps(steps, tmp_path, 2)
    assert not any(one.done() for one in steps[2:])


@pytest.mark.slow
def test_a_killed_process_is_one_line(tmp_path):
    steps = [step(tmp_path, "first", number, be_killed) for number in range(2)]
    with pytest.raises(InputError, match="run the same command again"):
        make_steps(steps, tmp_path, 2)


def test_time_to_go_is_that_of_the_stage(tmp_path, caplog):
    with caplog.at_level("INFO", logger="jetssl"):
        make_steps(of_two_stages(tmp_path), tmp_path, 1)
    lines = [record.message for record in caplog.records if "took" in record.message]
    assert lines[0] == "study: first 0 took 0 s; 3 steps left, about 0 s"
    assert lines[-1] == "study: second took 0 s"


def test_a_damaged_record_of_steps_is_said(tmp_path):
    (tmp_path / STEPS_FILE).write_text("[{]")
    with pytest.raises(InputError, match="delete it"):
        make_steps([], tmp_path, 1)
