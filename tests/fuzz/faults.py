"""Faults at random points of the commands that write: `kill -9`, a full disk, EIO, a rename whose data was lost.

    python -m tests.fuzz.faults [POINTS [SEED [COMMAND ...]]]      # 100 points: 20 minutes; needs `cc`
    python -m tests.fuzz.faults 33:100                         # goes on with point 33

Each point runs a command with one fault, then the same command again without. Right is: the second one ends with the
digest of a run that nothing disturbed, and the first says what is wrong in one line, unless it was killed. Where a
damaged file lies under its final name (a rename before the data is on the disk), one line and `--force` are right, too.
"""

import ctypes
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

REPOSITORY = Path(__file__).parents[2]
NAMES = ("generate", "merge", "pileup", "train", "embed")
KINDS = {"kill": 1, "full disk": 2, "EIO": 3, "lost rename": 4}
CARD = """
sources: [{{lhe: {lhe}, rows: {{25: hbb}}}}]
views:
  nominal: {{}}
  rehadron: {{from: nominal, freeze: parton_shower}}
"""
TRAIN = """
data: {{files: [{file}], batch_size: 16}}
encoder: {{width: 16, layers: 1, heads: 2}}
projector: {{hidden: 16, output: 8}}
training: {{epochs: 3, threads: 1}}
"""


@dataclass(frozen=True)
class Job:
    """A command, its output in a folder of its own, and the digest of that."""

    program: str
    arguments: tuple[str, ...]
    output: str
    digest: Callable[[Path], str]

    def command(self, folder: Path, *more: str) -> list[str]:
        """Its words; `--force` takes the place of `--resume`."""
        words = [word for word in self.arguments if not (more and word == "--resume")]
        return [*words, "-o", str(folder / self.output), *more]

    def whole(self, path: Path, digest: str) -> bool:
        """Whether the output is there and has this digest."""
        try:
            return path.exists() and self.digest(path) == digest
        except Exception:  # a damaged file, whatever its reader says
            return False


def arrays_of(path: Path) -> str:
    """SHA-256 of all datasets of an HDF5 file."""
    sha = hashlib.sha256()
    with h5py.File(path) as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in sorted(names):
            sha.update(name.encode() + str(file[name][()].tolist()).encode())
    return sha.hexdigest()


def weights_of(run: Path) -> str:
    """SHA-256 of the weights of a finished run."""
    from jetssl.models.checkpoints import load_encoder

    sha = hashlib.sha256()
    for name, tensor in sorted(load_encoder(run / "checkpoints/best.ckpt").encoder.state_dict().items()):
        sha.update(name.encode() + tensor.numpy().tobytes())
    return sha.hexdigest()


def pairs_of(path: Path) -> str:
    """The digest that `resim digest` prints."""
    from resim.pairfile.digest import digest

    return digest(path)


def jobs(folder: Path, names: tuple[str, ...]) -> dict[str, Job]:
    """The commands of these names; what they read is made in `folder` first."""
    from resim.pairfile.mock import write_mock

    card, mock, train = folder / "card.yaml", folder / "mock.h5", folder / "train.yaml"
    card.write_text(CARD.format(lhe=REPOSITORY / "cards/hard_scatter/hbb_j.lhe.gz"))
    write_mock(mock, 300, ("nominal", "seed"))
    train.write_text(TRAIN.format(file=mock))
    run = ("generate", str(card), "-n", "6", "--chunk-size", "2", "--quiet")
    shards = [folder / f"shard{i}.h5" for i in (1, 2)]
    for i, shard in enumerate(shards if "merge" in names else (), 1):
        settled(attempt("resim", [*run, "--shard", f"{i}/2", "-o", str(shard)]))
    if "embed" in names:
        settled(attempt("jetssl", ["train", str(train), "-o", str(folder / "run"), "--quiet"]))
    return {
        "generate": Job("resim", (*run, "--resume"), "pairs.h5", pairs_of),
        "merge": Job("resim", ("merge", *map(str, shards)), "merged.h5", pairs_of),
        "pileup": Job("resim", ("pileup", "-n", "6", "--quiet"), "pool.h5", arrays_of),
        "train": Job("jetssl", ("train", str(train), "--quiet"), "run", weights_of),
        "embed": Job("jetssl", ("embed", str(folder / "run"), str(mock), "--quiet"), "vectors.h5", arrays_of),
    }


@dataclass(frozen=True)
class Ending:
    """How an attempt ended: wait status, what it said, and how often it wrote and renamed."""

    status: int
    said: str
    writes: int = 0
    renames: int = 0


def shim() -> Any:
    """The library that this process was started with (`LD_PRELOAD`)."""
    return ctypes.CDLL(os.environ["LD_PRELOAD"])


def attempt(program: str, arguments: list[str], kind: int = 0, at: int = 0) -> Ending:
    """Run a command in a fork of this process, which has imported everything, with a fault armed."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        _run(program, arguments, kind, at)
    os.close(writer)
    with os.fdopen(reader, errors="replace") as stream:
        text = stream.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    counts = re.search(r"\ncounts (\d+) (\d+)\n", text)
    writes, renames = (int(counts[1]), int(counts[2])) if counts else (0, 0)
    return Ending(status, (text.replace(counts[0], "") if counts else text).strip(), writes, renames)


def _run(program: str, arguments: list[str], kind: int, at: int) -> None:
    """In the child: never comes back."""
    from jetssl.cli import jetssl
    from resim.cli import cli
    from resim.common import commandline

    library = shim()
    sys.argv = [program, *arguments]
    library.arm(kind, ctypes.c_long(at))
    status = 1
    try:
        commandline.run(cli if program == "resim" else jetssl)
    except SystemExit as ending:
        status = int(ending.code or 0)
    except BaseException as error:
        print(f"escaped: {error!r}")
    counts = library.count_of_writes(), library.count_of_renames()
    library.arm(0, ctypes.c_long(0))
    print(f"\ncounts {counts[0]} {counts[1]}", flush=True)
    os._exit(status)


def settled(ending: Ending) -> Ending:
    """An attempt that must have succeeded."""
    if ending.status:
        raise AssertionError(f"status {ending.status}: {ending.said}")
    return ending


@dataclass(frozen=True)
class Reference:
    """A job undisturbed: its digest, and how often it writes and renames."""

    job: Job
    digest: str
    ending: Ending


def reference(job: Job, folder: Path) -> Reference:
    """Run a job undisturbed."""
    ending = settled(attempt(job.program, job.command(folder)))
    return Reference(job, job.digest(folder / job.output), ending)


def point(found: Reference, folder: Path, kind: str, at: int) -> str:
    """One fault and the attempt after it: what became of it, `ok` at its begin where that is right."""
    job = found.job
    first = attempt(job.program, job.command(folder), KINDS[kind], at)
    killed = first.status == -signal.SIGKILL
    if not killed and first.status and (first.status != 1 or "defect" in first.said or "escaped" in first.said):
        return f"WRONG: status {first.status}: {first.said[-300:]}"
    done = job.whole(folder / job.output, found.digest)
    again = attempt(job.program, job.command(folder))
    how = "made again"
    if again.status == 1 and ("--force" in again.said or "exists" in again.said):
        how = "whole before" if done else "refused, then made with --force"
        again = attempt(job.program, job.command(folder, "--force"))
    if again.status:
        return f"WRONG: second attempt, status {again.status}: {again.said[-300:]}"
    if job.digest(folder / job.output) != found.digest:
        return "WRONG: another digest"
    return f"ok: {'killed' if killed else 'one line' if first.status else 'not reached'}, {how}"


def search(points: range, seed: int, names: tuple[str, ...] = NAMES) -> Counter:
    """Faults at random points; prints each, and counts what became of them by command and kind."""
    draw, counts = random.Random(seed), Counter()
    with tempfile.TemporaryDirectory(prefix="resim-faults-") as name:
        base = Path(name)
        known = jobs(base, names)
        found = {}
        for job in names:
            (base / job).mkdir()
            found[job] = reference(known[job], base / job)
            print(f"{job}: {found[job].ending.writes} writes, {found[job].ending.renames} renames", flush=True)
        for number in range(points.stop):
            job, kind = names[number % len(names)], draw.choice(list(KINDS))
            ending = found[job].ending
            at = draw.randint(1, max(1, ending.renames if kind == "lost rename" else ending.writes))
            if number < points.start:
                continue
            folder = base / f"point{number}"
            folder.mkdir()
            outcome = point(found[job], folder, kind, at)
            shutil.rmtree(folder)
            counts[job, kind, outcome] += 1
            print(f"{number:4d} {job:9s} {kind:12s} at {at:5d}: {outcome}", flush=True)
    return counts


def preloaded(arguments: list[str]) -> int:
    """Compile the shim, and run this module anew with it."""
    with tempfile.TemporaryDirectory(prefix="resim-shim-") as folder:
        library = Path(folder) / "shim.so"
        source = Path(__file__).with_name("shim.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        environment = os.environ | {"LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "tests.fuzz.faults", *arguments]
        return subprocess.run(command, env=environment, cwd=REPOSITORY, check=False).returncode


def main(arguments: list[str]) -> int:
    """Run, print the counts; 1 if anything was wrong."""
    if "LD_PRELOAD" not in os.environ:
        return preloaded(arguments)
    points, seed = (arguments + ["100", "1"][len(arguments) :])[:2]
    begin, _, end = points.rpartition(":")
    counts = search(range(int(begin or 0), int(end)), int(seed), tuple(arguments[2:]) or NAMES)
    for (job, kind, outcome), n in sorted(counts.items()):
        print(f"{n:4d} {job:9s} {kind:12s} {outcome[:60]}")
    return int(any("WRONG" in outcome for _, _, outcome in counts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
