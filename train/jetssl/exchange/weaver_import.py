"""What `jetssl import --from weaver` does: make a run of the weights of a network that weaver-core trained."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import nn

from jetssl.config.card import Card
from jetssl.config.data import DataCard, FeatureSet, ViewsCard
from jetssl.config.encoders import Architecture, EncoderCard
from jetssl.config.objectives import SupervisedCard
from jetssl.evaluation.heads import perceptron
from jetssl.models import checkpoints
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import write_checkpoint
from jetssl.models.encoder import Encoder
from jetssl.models.weaver import (
    Tensors,
    from_weaver,
    hidden_sizes,
    part_card,
    particlenet_card,
    places,
    plain,
)
from jetssl.training.provenance import ImportRecord, RunProvenance, record_of_import
from jetssl.training.run_folder import RunFolder
from resim.common.atomic_write import write_text
from resim.common.errors import InputError, reason_of
from resim.common.output_lock import locked

JETCLASS: Final = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
"""Classes of JetClass in the order of the outputs (jet-universe/particle_transformer, data/JetClass/*.yaml)."""
UNTRAINED: Final = -1
"""Epoch of a checkpoint that has no epoch of ours behind it."""


@dataclass(frozen=True, slots=True)
class WeaverWeights:
    """A file of weights, and what the weights do not tell."""

    file: Path
    """state dict of weaver-core, as its trainings save it"""
    architecture: Architecture
    features: FeatureSet
    """what the network reads"""
    classes: tuple[str, ...] = ()
    """names of the outputs; empty: the ten of JetClass"""
    neighbours: int = 16
    """of ParticleNet"""
    pair_activation: bool = True
    """of the Particle Transformer: weaver-core's `use_pre_activation_pair` is False, as in jet-universe's networks"""


@dataclass(frozen=True, slots=True)
class _Imported:
    card: Card
    classes: tuple[str, ...]
    state: dict[str, torch.Tensor]
    parameters: dict[str, int]


def import_weaver(asked: WeaverWeights, run: RunFolder, *, force: bool = False) -> RunProvenance:
    """Make a run; it lacks pair files and a training, and every evaluation takes it.

    Args:
        asked: the weights.
        run: the folder to make.
        force: replace the run that the folder holds.

    Raises:
        InputError: the file is unreadable or does not fit, or the folder holds something.
    """
    content = _read(asked.file)
    try:
        imported = _imported(asked, plain(_state(content)))
    except InputError as error:
        raise InputError(f"{asked.file}: {error}; want weights of weaver-core's {asked.architecture}") from error
    record = ImportRecord(
        program="weaver", path=str(asked.file.resolve()), sha256=hashlib.sha256(content).hexdigest()
    )
    with locked(run.path):
        run.make_way(force=force)
        return _write(imported, record, run)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); want a state dict of weaver-core") from error


def _state(content: bytes) -> Tensors:
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # on foreign bytes torch's unpickler stumbles over anything
        raise InputError(f"no state dict of tensors ({reason_of(error)})") from error
    if not isinstance(state, dict) or not state:
        raise InputError(f"holds {type(state).__name__}, no state dict")
    if strange := [name for name, value in state.items() if not isinstance(name, str) or not torch.is_tensor(value)]:
        raise InputError(f"entry {strange[0]!r} is no tensor")
    return state


def _imported(asked: WeaverWeights, state: Tensors) -> _Imported:
    """Of `plain` names."""
    hidden, n_classes = hidden_sizes(state)
    classes = _classes(asked.classes, n_classes)
    card = _card(asked, state)
    with torch.device("meta"):  # shapes without memory
        encoder: Encoder = build_encoder(card, seed=0)
        classifier = perceptron(encoder.width, tuple(hidden), n_classes)
    found = from_weaver(state, places(encoder, classifier))
    return _Imported(card, classes, found, {"encoder": _count(encoder), "classifier": _count(classifier)})


def _classes(names: tuple[str, ...], n_classes: int) -> tuple[str, ...]:
    chosen = names or JETCLASS
    if len(chosen) != n_classes or len(set(chosen)) != n_classes or n_classes < 2:
        given = f"--classes {','.join(names)}" if names else "no --classes, and JetClass has 10"
        raise InputError(f"has {n_classes} outputs, {given}: name each output once, in their order, with --classes")
    return chosen


def _card(asked: WeaverWeights, state: Tensors) -> Card:
    encoder: EncoderCard = (
        particlenet_card(state, asked.neighbours)
        if asked.architecture == "particlenet"
        else part_card(state, pair_activation=asked.pair_activation)
    )
    return Card(
        data=DataCard(files=(), features=asked.features, normalize=False),
        views=ViewsCard(source="resim"),  # fine-tuned without augmentations, as it was trained
        encoder=encoder,
        objective=SupervisedCard(),
    )


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _write(imported: _Imported, record: ImportRecord, run: RunFolder) -> RunProvenance:
    """The card comes first: what has a card is a run, and can be replaced."""
    provenance = record_of_import(record, imported.parameters)
    described = checkpoints.description(imported.card, imported.classes)
    write_text(run.card, imported.card.to_yaml())
    content = {"state_dict": imported.state, "epoch": UNTRAINED, checkpoints.KEY: described}
    write_checkpoint(run.best, content)
    write_text(run.provenance, provenance.model_dump_json(indent=1))
    return provenance
