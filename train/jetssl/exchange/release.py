"""What `jetssl export` does: the encoder of a run in a folder that others can use without this program's trainer."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from pydantic import BaseModel, ConfigDict
from safetensors.torch import save

from jetssl.config.card import Card
from jetssl.data.features import FEATURE_SETS
from jetssl.evaluation.results import fitting_records, read_results
from jetssl.exchange.example import random_jets
from jetssl.exchange.model_card import Release, model_card
from jetssl.models.checkpoints import LoadedEncoder, load_encoder
from jetssl.models.encoder import Encoder
from jetssl.models.normalization import Normalized
from jetssl.training.run_folder import RunFolder
from resim.common.atomic_write import write_bytes
from resim.common.errors import InputError

FILES: Final = (
    "README.md",
    "config.yaml",
    "encoder.onnx",
    "encoder.safetensors",
    "example.safetensors",
    "features.json",
)
"""What a release may consist of."""
LICENCE: Final = "BSD-3-Clause"
"""Of weights that were trained here, unless told otherwise: that of this program."""
LENGTHS: Final = (3, 1, 17, 40)
"""Constituents of the jets of the example."""


_SPDX: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


class FeatureRecord(BaseModel):
    """The input of the encoder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature_set: str
    names: tuple[str, ...]
    mean: tuple[float, ...] | None
    """that the encoder subtracts; None: it takes features as they are"""
    spread: tuple[float, ...] | None
    """that it divides by"""


@dataclass(frozen=True, slots=True)
class Released:
    """What was written."""

    files: tuple[Path, ...]
    parameters: int


def release(run_path: Path, output: Path, *, onnx: bool, licence: str | None = None) -> Released:
    """Write the encoder of the best checkpoint of a run, and all that one must know to use it.

    Args:
        run_path: folder of a training run.
        output: folder to write; made if it does not exist.
        onnx: whether to write a graph for ONNX Runtime, too.
        licence: of the weights, as SPDX names it; None: ours, if they were trained here.

    Raises:
        InputError: no usable run, no name of a licence, none for weights of others, an encoder that ONNX cannot
            express, or the folder cannot be written.
    """
    if licence is not None and not _SPDX.fullmatch(licence):
        raise InputError(f"licence {licence[:40]!r} is no SPDX identifier, such as {LICENCE} or CC-BY-4.0")
    run = RunFolder(run_path)
    loaded, provenance = load_encoder(run.best, run.load_card()), run.load_provenance()
    if licence is None and provenance.imported:
        raise InputError(f"{run_path}: its weights are of {provenance.imported.program}; say their --licence")
    names = FEATURE_SETS[loaded.card.data.feature_set].names
    results = read_results(run.results) if run.results.is_file() else []
    told = Release(run_path.resolve().name, loaded, provenance, results, names, licence or LICENCE, onnx)
    with fitting_records(run_path):
        readme = model_card(told)
    contents = _contents(loaded, names, onnx=onnx) | {"README.md": readme.encode()}  # last: with it, all is there
    output.mkdir(parents=True, exist_ok=True)
    for name in FILES:  # also those that a release before has left
        (output / name).unlink(missing_ok=True)
    for name, content in contents.items():
        write_bytes(output / name, content)
    return Released(tuple(output / name for name in contents), told.parameters)


def _contents(loaded: LoadedEncoder, names: tuple[str, ...], *, onnx: bool) -> dict[str, bytes]:
    """File name → content, of all but the model card."""
    contents = {
        "config.yaml": _without_folders(loaded.card).to_yaml().encode(),
        "encoder.safetensors": _weights(loaded.encoder),
        "example.safetensors": _example(loaded.encoder, len(names)),
        "features.json": _features(loaded, names).model_dump_json(indent=1).encode(),
    }
    if onnx:
        from jetssl.exchange.onnx_graph import onnx_graph  # brings ONNX Runtime

        contents["encoder.onnx"] = onnx_graph(loaded.encoder, len(names))
    return contents


def _without_folders(card: Card) -> Card:
    """The card with the names of its pair files; where they lay is nobody's business."""
    names = tuple(Path(file).name for file in card.data.files)
    return card.model_copy(update={"data": card.data.model_copy(update={"files": names})})


def _weights(encoder: Encoder) -> bytes:
    tensors = {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}
    content: bytes = save(tensors, metadata={"format": "pt"})
    return content


def _example(encoder: Encoder, n_features: int) -> bytes:
    """Random jets, and what the encoder makes of them, by which others see whether they use it right."""
    batch = random_jets(LENGTHS, n_features)
    with torch.inference_mode():
        encoded = encoder(*batch)
    inputs = {"features": batch.features, "momenta": batch.momenta, "mask": batch.mask}
    content: bytes = save(inputs | {"jet": encoded.jet, "tokens": encoded.tokens})
    return content


def _features(loaded: LoadedEncoder, names: tuple[str, ...]) -> FeatureRecord:
    encoder, feature_set = loaded.encoder, loaded.card.data.feature_set
    if not isinstance(encoder, Normalized):
        return FeatureRecord(feature_set=feature_set, names=names, mean=None, spread=None)
    mean, spread = (tuple(values.tolist()) for values in (encoder.mean, encoder.spread))
    return FeatureRecord(feature_set=feature_set, names=names, mean=mean, spread=spread)
