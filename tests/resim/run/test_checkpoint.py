"""Finished chunks survive an interruption, a kill, damage and a full disk."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.run import execution
from resim.run import generate as engine
from resim.run.checkpoint import Checkpoint
from resim.run.generate import generate
from tests.helpers.chain import N_EVENTS
from tests.helpers.programs import NAMESPACE, want_namespace

OPTIONS = RunOptions(n_events=N_EVENTS, quiet=True)


@pytest.mark.slow
def test_an_interrupted_run_is_resumed_and_gives_the_same_arrays(card, pairs, tmp_path, monkeypatch):
    output = tmp_path / "pairs.h5"
    done = []

    def stop_at_the_third(plan, chunk):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(chunk.number)
        return real(plan, chunk)

    real = execution.process
    options = replace(OPTIONS, chunk_size=5)
    monkeypatch.setattr(execution, "process", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        generate(card, output, options)
    assert not output.exists()
    with pytest.raises(InputError, match="an unfinished run; --resume"):
        generate(card, output, options)
    with pytest.raises(InputError, match="chunks of another card, seed"):
        generate(card, output, replace(options, seed=9, resume=True))

    again = []
    monkeypatch.setattr(execution, "process", lambda plan, chunk: again.append(chunk.number) or real(plan, chunk))
    generate(card, output, replace(options, resume=True))
    assert done == [0, 1]
    assert 0 not in again
    assert 1 not in again
    assert digest(output) == digest(pairs)
    assert violations(output) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.h5"]


KILLED = """
import os, signal
from resim.cli import main
from resim.run import execution

real = execution.process
execution.process = lambda plan, chunk: real(plan, chunk) if chunk.number < 2 else os.kill(os.getpid(), signal.SIGKILL)
main()
"""


@pytest.mark.slow
def test_kill_minus_9_loses_nothing_that_was_finished(card, pairs, tmp_path):
    output = tmp_path / "pairs.h5"
    arguments = ["generate", str(card), "-o", str(output), "-n", str(N_EVENTS), "--chunk-size", "2", "--quiet"]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(list(tmp_path.glob("pairs.h5.chunks/*.npz"))) == 2
    assert not output.exists()
    generate(card, output, replace(OPTIONS, chunk_size=2, resume=True))
    assert digest(output) == digest(pairs)


def unknown_compression(content):
    content[content.rfind(b"PK\1\2") + 10] = 99  # in the table of contents
    return content


@pytest.fixture(scope="module")
def chunks(card, tmp_path_factory):
    """The folder of a run that was interrupted when all its chunks were made."""
    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_join", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            generate(card, folder / "pairs.h5", replace(OPTIONS, chunk_size=8))
    return folder / "pairs.h5.chunks"


@pytest.fixture
def unfinished(chunks, tmp_path):
    """The output of a run that can be resumed."""
    shutil.copytree(chunks, tmp_path / "pairs.h5.chunks")
    return tmp_path / "pairs.h5"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda chunk: chunk.write_bytes(b""), "damaged"),
        (lambda chunk: chunk.write_bytes(chunk.read_bytes()[:2000]), "damaged"),
        (lambda chunk: chunk.write_bytes(unknown_compression(bytearray(chunk.read_bytes()))), "damaged"),
        (lambda chunk: shutil.copy(chunk.with_name("00000000.npz"), chunk), "the chunk of another run or number"),
    ],
)
def test_a_damaged_or_foreign_chunk_is_said_and_made_anew(unfinished, card, pairs, caplog, damage, said):  # noqa: PLR0917
    damage(unfinished.with_name("pairs.h5.chunks") / "00000001.npz")
    generate(card, unfinished, replace(OPTIONS, chunk_size=8, resume=True))
    assert f"00000001.npz: {said}, removed; it has to be made again" in caplog.text
    assert digest(unfinished) == digest(pairs)
    assert [path.name for path in unfinished.parent.iterdir()] == ["pairs.h5"]


def test_a_chunk_that_is_lost_while_the_run_goes_on_is_one_line(tmp_path):
    message = r"00000003\.npz: lost since it was made; run again with --resume"
    with Checkpoint(tmp_path / "pairs.h5", "key") as checkpoint, pytest.raises(InputError, match=message):
        checkpoint.load(3)


@pytest.mark.parametrize("name", ["notes.txt", "foreign.npz", "00000000.npz", "folder"])
def test_a_folder_that_resim_did_not_write_stays(card, tmp_path, name):
    mine = tmp_path / "pairs.h5.chunks" / name
    mine.parent.mkdir()
    mine.mkdir() if name == "folder" else mine.write_text("mine")
    for flag in ({}, {"force": True}, {"resume": True}):
        with pytest.raises(InputError, match=f"{name}: not written by resim, .*; move it away, or choose another"):
            generate(card, tmp_path / "pairs.h5", replace(OPTIONS, **flag))
    assert mine.exists()


def test_what_is_put_into_the_folder_meanwhile_stays(tmp_path):
    with Checkpoint(tmp_path / "pairs.h5", "key") as checkpoint:
        (checkpoint.folder / "notes.txt").write_text("mine")
    assert [path.name for path in checkpoint.folder.iterdir()] == ["notes.txt"]


def _interrupt(*arguments):
    raise KeyboardInterrupt


@pytest.mark.slow
def test_an_interrupted_replacement_can_be_resumed(card, pairs, tmp_path, monkeypatch):
    output = tmp_path / "pairs.h5"
    generate(card, output, replace(OPTIONS, n_events=1))
    monkeypatch.setattr(engine, "_join", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        generate(card, output, replace(OPTIONS, force=True))
    monkeypatch.undo()
    with PairFile(output) as file:
        assert file.provenance.n_events == 1  # the old file is still there
    generate(card, output, replace(OPTIONS, resume=True))
    assert digest(output) == digest(pairs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.h5"]


@pytest.mark.slow
def test_a_full_disk_keeps_what_was_finished(card, pairs, tmp_path):
    """A limit on the size of files, which the second chunk breaks, stands for the full disk."""
    output = tmp_path / "pairs.h5"
    code = (
        "import resource, sys; from pathlib import Path; from resim.run.generate import generate\n"
        "from resim.card.run_options import RunOptions\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))\n"
        f"generate(Path(sys.argv[1]), Path(sys.argv[2]), RunOptions(n_events={N_EVENTS}, chunk_size=12, quiet=True))"
    )
    command = [sys.executable, "-c", code, str(card), str(output), "100000"]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "cannot be written (File too large); finished chunks are kept: make room" in failed.stderr
    assert not output.exists()
    generate(card, output, replace(OPTIONS, chunk_size=12, resume=True))
    assert digest(output) == digest(pairs)


def test_space_is_asked_for_before_joining(card, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(engine.shutil, "disk_usage", lambda path: usage._replace(free=10))
    with pytest.raises(InputError, match=r"may need .* MB, 0.0 MB are free; finished chunks are kept"):
        generate(card, tmp_path / "pairs.h5", replace(OPTIONS, n_events=1))
    assert list(tmp_path.glob("pairs.h5.chunks/*.npz"))


FULL_DISK = """
set -e
mount -t tmpfs -o size=300k tmpfs "$1"
cd "$1"
shift
"$@" 2> ../message && exit 9
ls > ../files
mount -t tmpfs -o remount,size=60m tmpfs "$PWD"  # the type, or mount repeats options that a user may not give
"$@" --resume
cat ../message ../files
"$PYTHON" -c "from pathlib import Path; from resim.pairfile.digest import digest; print(digest(Path('pairs.h5')))"
"""


@pytest.mark.slow
def test_a_disk_that_is_really_full_loses_nothing(card, pairs, tmp_path):
    """A small tmpfs in a mount namespace of its own; then there is room again."""
    want_namespace("test_a_full_disk_keeps_what_was_finished")
    (tmp_path / "small").mkdir()
    code = "from resim.cli import main; main()"
    command = [*NAMESPACE, "bash", "-c", FULL_DISK, "bash", str(tmp_path / "small"), sys.executable, "-c", code]
    command += ["generate", str(card), "-o", "pairs.h5", "-n", str(N_EVENTS), "--chunk-size", "4", "--quiet"]
    environment = os.environ | {"PYTHON": sys.executable}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "cannot be written (No space left on device); finished chunks are kept" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["pairs.h5.chunks", digest(pairs)]
