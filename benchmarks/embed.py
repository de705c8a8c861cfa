"""Speed of `jetssl embed`, relative to training the same encoder, measured in one run.

- `embed_vs_train`: jets per second of `jetssl embed` from disk to disk (check and digest of the pair file, reading,
  encoding, writing) / jets per second of training steps on pairs of the same file (NT-Xent behind a projector:
  forward, backward, AdamW; batches lie ready in memory), for the transformer of the demo card;
- `part_embed_vs_train`: the same for the Particle Transformer at its published size.

Both sides take turns, and the median of the ratios of the rounds is used, so that a noisy machine disturbs both
alike. Without `--data` the jets are toys of 5 to 39 constituents.

    python benchmarks/embed.py [--json] [--data PAIRS.h5] [--rows 4000] [--part-rows 200] [--rounds 5] [--threads 2]
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# What `jetssl train` sets before torch loads its thread pool.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from jetssl.config.card import Card, load_card
from jetssl.data.datamodule import PairDataModule
from jetssl.data.rows import rows_of
from jetssl.evaluation.embed import embed_file
from jetssl.methods.builder import METHODS
from jetssl.methods.optimizers import AdamW
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.row_counts import SourceCounts, ViewCounts
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.writer import PairWriter

VIEWS = ("nominal", "seed", "shower", "detector")
TRAINING_BATCHES = 8
"""Of one round."""
CARD = """
data: {{files: [{file}], batch_size: {batch_size}}}
encoder: {encoder}
training: {{epochs: 1, threads: {threads}}}
"""
TRANSFORMER = "{name: transformer, width: 64, layers: 2, heads: 2, expansion: 4}"
PART = "{name: part}"


@dataclass(frozen=True, slots=True)
class Setting:
    """One encoder and how much of the file it gets."""

    key: str
    encoder: str
    """section `encoder` of a card"""
    rows: int
    batch_size: int


def extract(source: Path, target: Path, n_rows: int) -> Path:
    """The first rows of a pair file as a file of its own."""
    with PairFile(source) as file:
        n_rows = min(n_rows, len(file))
        none, all_rows = (SourceCounts(events=n, events_with_rows=n, partons=n, rows=n) for n in (0, n_rows))
        sources = [
            record.model_copy(update={"counts": none if i else all_rows})
            for i, record in enumerate(file.provenance.sources)
        ]
        valid = {view: int(file.valid(view)[:n_rows].sum()) for view in file.view_names}
        views = {
            view: ViewCounts(valid=n, lost={"no_jet": n_rows - n} if n < n_rows else {}) for view, n in valid.items()
        }
        with PairWriter(target, file.views, file.labels, file.source_hashes) as writer:
            writer.append(file.block(0, n_rows))
            writer.finish(file.provenance.model_copy(update={"sources": sources, "views": views}))
    return target


def trained_run(folder: Path, setting: Setting, threads: int) -> RunFolder:
    """A run of one epoch on a few toys: what counts is the size of its encoder."""
    file = write_mock(folder / "toys.h5", 64, VIEWS[:2])
    (folder / "card.yaml").write_text(CARD.format(file=file, batch_size=16, encoder=setting.encoder, threads=threads))
    run = RunFolder(folder / "run")
    pretrain(load_card(folder / "card.yaml"), run, quiet=True)
    return run


def training(card: Card, pairs: Path, batch_size: int) -> Callable[[], int]:
    """A few steps on pairs of the file, the same ones at every call; returns the number of jets."""
    rows = rows_of([pairs])
    card = card.model_copy(update={"data": card.data.model_copy(update={"batch_size": batch_size})})
    data = PairDataModule(rows, card)
    n_batches = min(TRAINING_BATCHES, data.batches_per_epoch)
    batches = [data.training_batches(0).batch(i) for i in range(n_batches)]
    method = METHODS[card.objective.name](card, 1, rows.classes).train()
    optimizer = AdamW(method.parameters(), 1e-4, fused=True)

    def steps() -> int:
        for batch in batches:
            optimizer.zero_grad()
            method.losses(batch)["loss"].backward()
            optimizer.step()
        return sum(len(batch.jets.mask) for batch in batches)

    return steps


def rate(work: Callable[[], int]) -> float:
    """Jets per second of something that returns how many it did."""
    start = time.perf_counter()
    return work() / (time.perf_counter() - start)


def compare(setting: Setting, data: Path | None, rounds: int, threads: int) -> dict[str, float]:
    """The ratio of one encoder, and the rates behind it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = folder / "pairs.h5"
        extract(data, pairs, setting.rows) if data else write_mock(pairs, setting.rows, VIEWS, seed=2)
        run = trained_run(folder, setting, threads)
        train = training(run.load_card(), pairs, setting.batch_size)
        both = (lambda: embed_file(run.path, pairs, folder / "emb.h5", quiet=True).jets, train)
        for side in both:
            side()
        found = [[rate(side) for side in both] for _ in range(rounds)]
    key = setting.key
    return {
        f"{key}embed_vs_train": statistics.median(embedded / trained for embedded, trained in found),
        f"{key}embed_jets_per_s": statistics.median(embedded for embedded, _ in found),
        f"{key}train_jets_per_s": statistics.median(trained for _, trained in found),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of `jetssl embed`, relative to training the same encoder.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--data", type=Path, help="pair file to take jets from; default: toys")
    parser.add_argument("--rows", type=int, default=4000, help="of the pair file, for the small transformer")
    parser.add_argument("--part-rows", type=int, default=200, help="the same for the Particle Transformer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    small = Setting("", TRANSFORMER, arguments.rows, 128)
    part = Setting("part_", PART, arguments.part_rows, 32)
    results = {}
    for setting in (small, part):
        results |= compare(setting, arguments.data, arguments.rounds, arguments.threads)
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        for name, value in results.items():
            print(f"{name:28s} {value:.3f}")


if __name__ == "__main__":
    main()
