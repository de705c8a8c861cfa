"""Speed and memory of the loader, without any training beside it, and how long a training waits for it.

- `loader_jets_per_s`: jets per second of a pass over pairs, views re-simulated and rotated, features `relative`, that
  are streamed from HDF5 files of four times the buffer: reading, shuffling, padding, all of it.
- `loader_vs_torch`: the same / that of a `torch.utils.data.DataLoader` with `--workers` workers, each of which reads
  the windows and makes its batches, nothing else beside them. A worker must have every window, as batch i goes to
  worker i mod n.
- `loader_cached_jets_per_s`: the same with everything in the buffer, from the second pass on.
- `loader_vs_step`: `loader_jets_per_s` / jets per second of training steps of the smallest encoder of a card
  (`cards/train/demo.yaml`), on the same batches.
- `waiting`: share of the time of a `jetssl train` of that card in which it waited for batches, streaming from one
  smaller file, in small pieces.
- `memory_growth_mb`: by how much the peak memory of a pass grows when there are four files instead of one.

The data are four toy files of `--rows` rows in two views, with as many constituents as generator-level jets of
300-500 GeV have (58); a third of the buffer of a card.

    python benchmarks/loader.py [--json] [--rows 120000] [--rounds 3] [--workers 2]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

# What `jetssl train` sets before torch loads its thread pool.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from jetssl.config.card import Card, load_card
from jetssl.data.batches import PairBatches
from jetssl.data.datamodule import PairDataModule
from jetssl.data.features import FEATURE_SETS
from jetssl.data.reading import WindowReader
from jetssl.data.rows import Rows, rows_of
from jetssl.data.tensors import PairBatch
from jetssl.methods.optimizers import AdamW
from jetssl.methods.two_views import Contrastive
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Integers
from resim.pairfile.mock import write_mock

CARD = Path(__file__).parents[1] / "cards/train/demo.yaml"
N_FILES = 4
STEPS = 10
DISTINCT_ROWS = 4000
"""Rows that are made; the others are copies."""
CONSTITUENTS = (12, 104)
"""Of the toy jets."""
PEAK = """
import sys
from pathlib import Path
from benchmarks.loader import batches, card_of, rows_of
card = card_of(sys.argv[2:], int(sys.argv[1]))
for batch in batches(card, rows_of(card.data.files)): pass
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024)  # getrusage counts the memory of the parent, too
"""


def card_of(files: list[str], buffer: int) -> Card:
    """The card of the demo on other files."""
    return load_card(CARD, [f"data.files={json.dumps(files)}", f"data.buffer={buffer}", "training.epochs=1"])


def batches(card: Card, rows: Rows) -> PairBatches:
    """Training batches of an epoch."""
    return PairDataModule(rows, card).training_batches(0)


def toys(path: Path, n_rows: int, seed: int) -> str:
    """A file of toy jets."""
    distinct = min(n_rows, DISTINCT_ROWS)
    return str(write_mock(path, distinct, seed=seed, constituents=CONSTITUENTS, copies=n_rows // distinct))


class ReadWhenNeeded(WindowReader):
    """Reads a window when its first batch is made, by the process that makes it."""

    def announce(self, wanted: Integers) -> None:
        """Read nothing ahead."""


def by_torch(passes: PairBatches, card: Card, workers: int) -> "DataLoader[PairBatch]":
    """The same batches from a `DataLoader`."""
    columns = FEATURE_SETS[card.data.feature_set].columns
    shards = [replace(shard, reader=ReadWhenNeeded(passes.rows, columns)) for shard in passes.shards]
    alike = PairBatches(passes.rows, shards, passes.look, passes.address, passes.share)
    return DataLoader(Addressed(alike), batch_size=None, num_workers=workers, prefetch_factor=2)


class Addressed(Dataset[PairBatch]):
    """Batches as a data set of torch, whose items they are."""

    def __init__(self, batches: PairBatches) -> None:
        self.batches = batches

    def __len__(self) -> int:
        """Number of batches."""
        return len(self.batches)

    def __getitem__(self, index: int) -> PairBatch:
        """One batch."""
        return self.batches.batch(index)


def rate(passes: Iterable[PairBatch]) -> float:
    """Jets per second of a pass."""
    start = time.perf_counter()
    jets = sum(len(batch.jets.mask) for batch in passes)
    return jets / (time.perf_counter() - start)


def step_rate(passes: PairBatches, card: Card) -> float:
    """Jets per second of training steps on batches that are ready."""
    ready = [passes.batch(i) for i in range(STEPS)]
    method = Contrastive(card, STEPS, ("a", "b")).train()
    optimizer = AdamW(method.parameters(), 1e-3, fused=True)
    start = time.perf_counter()
    for batch in ready:
        optimizer.zero_grad()
        method.losses(batch)["loss"].backward()
        nn.utils.clip_grad_norm_(method.parameters(), 1.0)
        optimizer.step()
    return sum(len(batch.jets.mask) for batch in ready) / (time.perf_counter() - start)


def waiting(folder: Path) -> float:
    """Share of the time of a training in which it waited."""
    files = [toys(folder / "few.h5", 6 * DISTINCT_ROWS, 99)]
    run = RunFolder(folder / "run")
    pretrain(card_of(files, DISTINCT_ROWS), run, quiet=True)
    (epoch,) = read_metrics(run.metrics)
    return epoch["waiting"]


def peak(files: list[str], buffer: int) -> float:
    """Peak memory in MB of a process that makes the batches of an epoch."""
    arguments = [sys.executable, "-c", PEAK, str(buffer), *files]
    root = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    found = subprocess.run(arguments, check=True, capture_output=True, text=True, env=environment)
    return float(found.stdout)


def measure(files: list[str], folder: Path, rounds: int, workers: int) -> dict[str, float]:
    """All figures; what is compared is measured in turn."""
    rows = rows_of(files)
    n_train = len(PairDataModule(rows, card_of(files, 10**9)).usable.train)
    streaming, cached = card_of(files, n_train // 4), card_of(files, 10**9)
    from_disk, in_memory = batches(streaming, rows), batches(cached, rows)
    rate(from_disk), rate(in_memory)  # the process that reads has started, the buffer is filled
    rates = [
        (
            rate(from_disk),
            rate(in_memory),
            step_rate(in_memory, cached),
            rate(by_torch(from_disk, streaming, workers)),
        )
        for _ in range(rounds)
    ]
    disk, memory, step, _ = (statistics.median(column) for column in zip(*rates, strict=True))
    return {
        "loader_jets_per_s": disk,
        "loader_vs_torch": statistics.median(one[0] / one[3] for one in rates),
        "loader_cached_jets_per_s": memory,
        "loader_vs_step": statistics.median(one[0] / one[2] for one in rates),
        "step_jets_per_s": step,
        "waiting": waiting(folder),
        "memory_growth_mb": peak(files, n_train // 4) - peak(files[:1], n_train // 4),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed and memory of the loader.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--rows", type=int, default=120_000, help="rows of each toy file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2, help="of torch's DataLoader")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [toys(folder / f"{seed}.h5", arguments.rows, seed) for seed in range(1, N_FILES + 1)]
        results = measure(files, folder, arguments.rounds, arguments.workers)
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        for name, value in results.items():
            print(f"{name:28s} {value:.3f}")


if __name__ == "__main__":
    main()
