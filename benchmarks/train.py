"""Speed of training steps, as ratios measured in one run.

- `part_vs_weaver`: jets per second of a training step (forward, backward, AdamW) of our Particle Transformer / those
  of weaver-core's `ParticleTransformer`, both at the published size with the published dropout and a linear
  classifier, cross-entropy, single precision.
- `transformer_vs_torch`, `transformer_small_vs_torch`: the same for our transformer at the size of JetCLR and at that
  of the demo card / torch's `nn.TransformerEncoder` of the same layers, padded to 50 constituents.
- `jepa_vs_supervised`: jets per second of a P-JEPA step (target encoder, context encoder, predictor, average) of our
  Particle Transformer with 40 % of the constituents hidden / of its supervised step; the predictor as narrow and
  shallow against its encoder as that of the talk.

Both sides of a ratio get the same ragged batches in turn, and the medians over the rounds are compared, so that a
noisy machine disturbs both alike. Both run with what `jetssl train` sets for its process: threads that sleep while
they wait. With GOMP_SPINCOUNT=300000 in the environment
they spin first, as torch's do by default: faster for the other side as long as nothing else wants a core.

Without `--data` the jets are toys whose multiplicity is that of generator-level jets of 300-500 GeV (58 +- 20
constituents), cut off at 64 or 50 as `--data` is.

    python benchmarks/train.py [--json] [--data PAIRS.h5] [--batch-size 64] [--rounds 5] [--threads 2]
"""

import argparse
import json
import logging
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

# What `jetssl train` sets before torch loads its thread pool.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from jetssl.config.card import Card
from jetssl.config.data import DataCard
from jetssl.config.encoders import ParticleTransformerCard, TransformerCard
from jetssl.config.objectives import JepaCard
from jetssl.config.projectors import PredictorCard
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jets import Jets, gather_jets
from jetssl.data.ragged import Ragged
from jetssl.data.table import load_pairs
from jetssl.data.tensors import JetBatch, PairBatch, hidden_batch, to_tensors
from jetssl.methods.jepa import Jepa
from jetssl.methods.optimizers import AdamW
from jetssl.models.encoder import Encoder
from jetssl.models.particle_transformer import ParticleTransformer
from jetssl.models.transformer import Transformer

CLASSES = 10
WEAVER_WARM_UP = 6
"""Rounds that do not count: weaver-core trims sequences from its sixth call on only, which makes it faster."""
JETCLR = TransformerCard(width=1000, layers=4, heads=4, expansion=1, dropout=0.1)
PART = ParticleTransformerCard()
JEPA = JepaCard(predictor=PredictorCard(width=48, layers=2, heads=6))
HIDDEN_SHARE = 0.4
DEMO = TransformerCard(width=64, layers=2, heads=2, expansion=4)


def toy_jets(n_jets: int, rng: np.random.Generator) -> Jets:
    """Random constituents, as many as in jets of a few hundred GeV."""
    counts = rng.normal(58, 20, n_jets).round().clip(12, 160).astype(np.int64)
    size = counts.sum()
    pt = 0.1 + rng.exponential(5, size)
    order = np.lexsort((-pt, np.repeat(np.arange(n_jets), counts)))
    jet = np.full(n_jets, 400, np.float32)
    return Jets(
        pt=pt[order].astype(np.float32),
        d_eta=rng.normal(0, 0.2, size).astype(np.float32),
        d_phi=rng.normal(0, 0.2, size).astype(np.float32),
        mass=np.full(size, 0.14, np.float32),
        other={"charge": np.zeros(size, np.int8), "pdg_id": np.full(size, 22, np.int32)},
        counts=counts,
        jet_pt=jet,
        jet_energy=jet,
        jet_eta=0 * jet,
        axis=0 * jet,
    )


def batches(data: Path | None, size: int, longest: int, count: int) -> list[JetBatch]:
    """Batches of features `kinpid`, the `longest` hardest constituents of each jet."""
    rng = np.random.default_rng(1)
    if data is None:
        jets = [toy_jets(size, rng) for _ in range(count)]
    else:
        table = load_pairs([data], columns=FEATURE_SETS["kinpid"].columns)
        rows = rng.permutation(np.flatnonzero(table.rows.valid[0]))
        jets = [gather_jets(table, np.zeros(size, int), rows[i * size : (i + 1) * size]) for i in range(count)]
    return [shortened(to_tensors(j, "kinpid"), longest) for j in jets]


def shortened(batch: JetBatch, longest: int) -> JetBatch:
    """The `longest` first constituents of each jet."""
    features, momenta, mask = (tensor[:, :longest].contiguous() for tensor in batch[:3])
    return JetBatch(features, momenta, mask, Ragged.of(mask))


def step_of(
    network: nn.Module, logits: Callable[[JetBatch], torch.Tensor], optimizer: torch.optim.Optimizer
) -> Callable[[JetBatch], None]:
    """A training step of a network."""
    network.train()

    def step(batch: JetBatch) -> None:
        labels = torch.arange(len(batch.mask)) % CLASSES
        optimizer.zero_grad()
        functional.cross_entropy(logits(batch), labels).backward()
        optimizer.step()

    return step


def our_step(encoder: Encoder) -> Callable[[JetBatch], None]:
    """A step of one of our encoders with a linear classifier, and the optimizer of `jetssl train`."""
    head = nn.Linear(encoder.width, CLASSES)
    both = nn.ModuleList([encoder, head])
    return step_of(both, lambda batch: head(encoder(*batch).jet), AdamW(both.parameters(), 1e-3, fused=True))


def jepa_step(jets: list[JetBatch]) -> Callable[[JetBatch], None]:
    """A step of P-JEPA; what batches hide is drawn before."""
    rng = np.random.default_rng(2)
    hidden = {id(batch): hidden_batch(batch, rng.random(int(batch.mask.sum())) < HIDDEN_SHARE, 1) for batch in jets}
    card = Card(data=DataCard(files=("none",), features="kinpid", normalize=False), encoder=PART, objective=JEPA)
    method = Jepa(card, 1000, ("a", "b")).train()
    optimizer = AdamW([weights for weights in method.parameters() if weights.requires_grad], 1e-3, fused=True)

    def step(batch: JetBatch) -> None:
        rows = torch.arange(len(batch.mask))
        pairs = PairBatch(batch, rows, rows % 2, rows[:, None].expand(-1, 2), None, hidden[id(batch)])
        optimizer.zero_grad()
        method.losses(pairs)["loss"].backward()
        optimizer.step()
        method.on_train_batch_end(None, pairs, 0)

    return step


def weaver_step(n_features: int) -> Callable[[JetBatch], None]:
    """A step of weaver-core's Particle Transformer; the batch lies as its loader would hand it over."""
    logging.disable(logging.INFO)
    from weaver.nn.model.ParticleTransformer import ParticleTransformer as Theirs

    network = Theirs(n_features, num_classes=CLASSES)

    def logits(batch: JetBatch) -> torch.Tensor:
        momenta = batch.momenta[..., [1, 2, 3, 0]].transpose(1, 2).contiguous()
        return network(batch.features.transpose(1, 2).contiguous(), momenta, batch.mask[:, None])

    return step_of(network, logits, torch.optim.AdamW(network.parameters(), 1e-3))


class Plain(nn.Module):
    """torch's encoder between the embedding and the pooling of ours."""

    def __init__(self, n_features: int, card: TransformerCard) -> None:
        super().__init__()
        ours = Transformer(n_features, card)
        self.embedding, self.head = ours.embedding, nn.Linear(card.width, CLASSES)
        layer = nn.TransformerEncoderLayer(
            card.width,
            card.heads,
            card.expansion * card.width,
            card.dropout,
            "gelu",
            batch_first=True,
            norm_first=True,
        )
        self.layers = nn.TransformerEncoder(layer, card.layers, nn.LayerNorm(card.width), enable_nested_tensor=False)

    def forward(self, batch: JetBatch, longest: int) -> torch.Tensor:
        """Logits `(B, classes)`."""
        short = longest - batch.mask.shape[1]
        features, mask = functional.pad(batch.features, (0, 0, 0, short)), functional.pad(batch.mask, (0, short))
        tokens = self.layers(self.embedding(features), src_key_padding_mask=~mask) * mask[..., None]
        logits: torch.Tensor = self.head(tokens.sum(1) / mask.sum(1, keepdim=True))
        return logits


def rates(sides: dict[str, Callable[[JetBatch], None]], jets: list[JetBatch], warm_up: int) -> dict[str, float]:
    """Jets per second of each side, its median over the batches after the first `warm_up`."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for batch in jets:
        for name, step in sides.items():
            start = time.perf_counter()
            step(batch)
            times[name].append(time.perf_counter() - start)
    return {name: len(jets[0].mask) / statistics.median(values[warm_up:]) for name, values in times.items()}


def compare(data: Path | None, size: int, rounds: int) -> dict[str, float]:
    """All ratios, and the rates behind them."""
    results = {}
    long, short = (batches(data, size, longest, rounds + WEAVER_WARM_UP) for longest in (64, 50))
    n_features = long[0].features.shape[2]
    torch.manual_seed(1)
    sides = {
        "part": our_step(ParticleTransformer(n_features, PART)),
        "weaver": weaver_step(n_features),
        "jepa": jepa_step(long),
    }
    found = rates(sides, long, WEAVER_WARM_UP)
    results["part_vs_weaver"] = found["part"] / found["weaver"]
    results["jepa_vs_supervised"] = found["jepa"] / found["part"]
    results |= {f"{name}_jets_per_s": rate for name, rate in found.items()}
    for name, card, repeats in (("transformer", JETCLR, 1), ("transformer_small", DEMO, 10)):
        plain = Plain(n_features, card)
        sides = {
            "ours": our_step(Transformer(n_features, card)),
            "torch": step_of(
                plain, lambda batch, plain=plain: plain(batch, 50), torch.optim.AdamW(plain.parameters(), 1e-3)
            ),
        }
        found = rates(sides, short[: rounds + 1] * repeats, repeats)
        results[f"{name}_vs_torch"] = found["ours"] / found["torch"]
        results[f"{name}_jets_per_s"] = found["ours"]
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed of training steps, as ratios measured in one run.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--data", type=Path, help="pair file to take jets from; default: toys")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = compare(arguments.data, arguments.batch_size, arguments.rounds)
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        for name, value in results.items():
            print(f"{name:28s} {value:.3f}")


if __name__ == "__main__":
    main()
