"""The model card of a released encoder: what it is, what it learned from, what it is worth, how it is used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jetssl.evaluation.results import Result
from jetssl.evaluation.table import header, table_rows
from jetssl.models.checkpoints import LoadedEncoder
from jetssl.training.provenance import RunProvenance

IN_TORCH = """\
from pathlib import Path

import torch, yaml
from safetensors.torch import load_file
from jetssl.config.card import card_from
from jetssl.models.builder import build_encoder

card = card_from(yaml.safe_load(Path("config.yaml").read_text()), Path("config.yaml"))
encoder = build_encoder(card, seed=0).eval()
encoder.load_state_dict(load_file("encoder.safetensors"))
example = load_file("example.safetensors")  # random jets, to try it on
jet = encoder(example["features"], example["momenta"], example["mask"]).jet
torch.testing.assert_close(jet, example["jet"])
"""
"""How a reader loads the weights: a program that runs in the folder, with no more of jetssl than its networks."""

IN_ONNX = """\
import numpy, onnxruntime
from safetensors.numpy import load_file

example = load_file("example.safetensors")
session = onnxruntime.InferenceSession("encoder.onnx")
inputs = {name: example[name] for name in ("features", "momenta", "mask")}
jet, tokens = session.run(["jet", "tokens"], inputs)
numpy.testing.assert_allclose(jet, example["jet"], rtol=1e-4, atol=1e-5)
"""
"""The same with ONNX Runtime, and nothing of torch or jetssl."""


@dataclass(frozen=True, slots=True)
class Release:
    """What a release tells of."""

    name: str
    """of the run"""
    loaded: LoadedEncoder
    provenance: RunProvenance
    results: Sequence[Result]
    """of the last probe; empty if there was none"""
    features: tuple[str, ...]
    """names, in the order in which the encoder takes them"""
    licence: str
    """as SPDX names it"""
    onnx: bool
    """whether there is a graph"""

    @property
    def parameters(self) -> int:
        """Numbers that the encoder has learned."""
        return sum(weights.numel() for weights in self.loaded.encoder.parameters())


def model_card(release: Release) -> str:
    """Markdown, with the front matter that model hubs read."""
    return "\n".join(_lines(release))


def _lines(release: Release) -> Iterator[str]:
    card, provenance = release.loaded.card, release.provenance
    front = {"license": release.licence.lower(), "library_name": "jetssl"}
    yield "\n".join(["---", *(f"{key}: {value}" for key, value in front.items())])
    yield "tags: [particle-physics, jets, self-supervised-learning]\n---\n"
    yield f"# {release.name}\n"
    yield (
        f"Encoder `{card.encoder.name}` of jets, {release.parameters:,} parameters: constituents in, a"
        f" vector of {release.loaded.encoder.width} numbers for each jet and each constituent out."
        f" {_origin(release)}\n"
    )
    if provenance.imported is None:
        yield from _data(release)
    yield from _input(release)
    yield from _worth(release)
    yield "## Use\n\nRun in this folder:\n"
    yield f"```python\n{IN_TORCH}```\n"
    if release.onnx:
        yield "Or without torch and jetssl, for any number of jets and constituents:\n"
        yield f"```python\n{IN_ONNX}```\n"
    yield f"## Licence\n\n{release.licence}\n"


def _origin(release: Release) -> str:
    """Who trained it, and how."""
    card, provenance = release.loaded.card, release.provenance
    program = f"resim {provenance.versions['resim']} (commit {provenance.commit or 'unknown'})"
    if file := provenance.imported:
        return (
            f"Weights of {file.program}, file `{Path(file.path).name}`, SHA-256 `{file.sha256}`, read by {program};"
            " not trained here, so `config.yaml` tells of the network and its input alone."
        )
    return (
        f"Trained with objective `{card.objective.name}`, {release.loaded.epoch} of {card.training.epochs} epochs,"
        f" seed {provenance.seed}, by {program}. Everything else is in `config.yaml`."
    )


def _data(release: Release) -> Iterator[str]:
    provenance = release.provenance
    yield "## Data\n"
    yield from _table(
        ("pair file", "rows", "classes", "views", "digest"),
        [
            (
                Path(file.path).name,
                f"{file.rows:,}",
                ", ".join(f"{name} {count:,}" for name, count in file.labels.items()),
                ", ".join(file.views),
                f"`{file.digest[:16]}`",
            )
            for file in provenance.files
        ],
    )
    rows, used = provenance.rows, provenance.pair_rows
    yield (
        f"{used.train:,} of {rows.train:,} rows of the training split were used, {used.validation:,} of"
        f" {rows.validation:,} to validate; views {', '.join(provenance.views)}. Digests are those of `resim"
        " digest`.\n"
    )


def _input(release: Release) -> Iterator[str]:
    card = release.loaded.card
    normalized = "the encoder normalizes them itself" if card.data.normalize else "taken as they are"
    yield "## Input\n"
    yield (
        f"`features`, float32 `(jets, constituents, {len(release.features)})`, feature set `{card.data.feature_set}`:"
        f" {', '.join(release.features)}; {normalized}. `momenta`, float32 `(jets, constituents, 4)`: E, px, py, pz"
        " in GeV, with eta and phi from the jet axis, which lies along px. `mask`, bool"
        " `(jets, constituents)`, True for what is real, at least once a jet; what stands elsewhere must be finite."
        " Code that computes both: `jetssl.data.features`. Mean and spread of the features: `features.json`.\n"
    )


def _worth(release: Release) -> Iterator[str]:
    yield "## What it is worth\n"
    if not release.results:
        yield "Not measured: `jetssl probe RUN` before `jetssl export` adds the numbers.\n"
    for (task, view, method), found in groupby(release.results, lambda one: (one.task, one.view, one.method)):
        results = list(found)
        yield f"{task}, {method.replace('_', ' ')}, {results[0].n_test} test jets of view {view}:\n"
        yield from _table(header(results), table_rows(results))


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(row)} |"
    yield ""
