"""Size and speed of the encoders of a study, side by side.

For each training of the card, with its keys: parameters of the encoder, and jets per second of a training step
(forward, backward, AdamW) with a linear classifier, on batches of the same jets of a pair file; the median over
the rounds.

    python benchmarks/encoders.py [--card cards/studies/encoders_small.yaml] --data PAIRS.h5 [--json]
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from jetssl.config.card import Card, load_card
from jetssl.config.study import StudyCard, load_study_card
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jets import gather_jets
from jetssl.data.table import load_pairs
from jetssl.data.tensors import JetBatch, to_tensors
from jetssl.models.builder import build_encoder
from train import our_step, rates


def card_of(study: StudyCard, name: str, data: Path) -> Card:
    """The card of a training."""
    training = study.trainings[name]
    return load_card(training.card, [*study.overrides, *training.overrides, f"data.files=[{data.resolve()}]"])


def batches(data: Path, features: str, size: int, count: int) -> list[JetBatch]:
    """Jets of the root view, the same ones for every set of features."""
    table = load_pairs([data], columns=FEATURE_SETS[features].columns)
    rows = np.random.default_rng(1).permutation(np.flatnonzero(table.rows.valid[0]))
    parts = np.split(rows[: size * count], count)
    return [to_tensors(gather_jets(table, np.zeros(size, int), part), features) for part in parts]


def measure(study: StudyCard, data: Path, size: int, rounds: int) -> dict[str, dict[str, float]]:
    """Parameters and jets/s of each training of the study."""
    found = {}
    for name in study.trainings:
        card = card_of(study, name, data)
        encoder = build_encoder(card, seed=1)
        jets = batches(data, card.data.features, size, rounds + 1)
        speed = rates({name: our_step(encoder)}, jets, 1)[name]
        found[name] = {"parameters": sum(weights.numel() for weights in encoder.parameters()), "jets_per_s": speed}
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Size and speed of the encoders of a study, side by side.")
    parser.add_argument("--card", type=Path, default=Path("cards/studies/encoders_small.yaml"))
    parser.add_argument("--data", type=Path, required=True, help="pair file to take jets from")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = measure(load_study_card(arguments.card), arguments.data, arguments.batch_size, arguments.rounds)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, row in found.items():
        print(f"{name:20s} {row['parameters']:9,.0f} parameters {row['jets_per_s']:8.1f} jets/s")


if __name__ == "__main__":
    main()
