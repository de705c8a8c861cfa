"""What `jetssl import --from weaver` does: make a run of the weights of a network that weaver-core trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from jetssl.config.data import FeatureSet
from jetssl.config.encoders import Architecture, EncoderCard
from jetssl.evaluation.heads import perceptron
from jetssl.exchange.imported import Imported, WeightsFile, imported_card, refuse_no_tensors
from jetssl.models.builder import build_encoder
from jetssl.models.encoder import Encoder
from jetssl.models.foreign_state import Tensors
from jetssl.models.weaver import from_weaver, hidden_sizes, part_card, particlenet_card, places, plain
from jetssl.training.provenance import RunProvenance
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError

JETCLASS: Final = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
"""Classes of JetClass in the order of the outputs (jet-universe/particle_transformer, data/JetClass/*.yaml)."""


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


def import_weaver(asked: WeaverWeights, run: RunFolder, *, force: bool = False) -> RunProvenance:
    """Make a run, as `Imported.write` does.

    Args:
        asked: the weights.
        run: the folder to make.
        force: replace the run that the folder holds.

    Raises:
        InputError: the file is unreadable or does not fit, or the folder holds something.
    """
    file = WeightsFile.read("weaver", asked.file, "a state dict of weaver-core")
    try:
        state = file.load()
        refuse_no_tensors(state)
        imported = _imported(asked, plain(state))
    except InputError as error:
        raise InputError(f"{asked.file}: {error}; want weights of weaver-core's {asked.architecture}") from error
    return imported.write(file.record, run, force=force)


def _imported(asked: WeaverWeights, state: Tensors) -> Imported:
    """Of `plain` names."""
    hidden, n_classes = hidden_sizes(state)
    classes = _classes(asked.classes, n_classes)
    card = imported_card(asked.features, _encoder_card(asked, state))
    with torch.device("meta"):  # shapes without memory
        encoder: Encoder = build_encoder(card, seed=0)
        classifier = perceptron(encoder.width, tuple(hidden), n_classes)
    return Imported(card, classes, from_weaver(state, places(encoder, classifier)), encoder, classifier)


def _classes(names: tuple[str, ...], n_classes: int) -> tuple[str, ...]:
    chosen = names or JETCLASS
    if len(chosen) != n_classes or len(set(chosen)) != n_classes or n_classes < 2:
        given = f"--classes {','.join(names)}" if names else "no --classes, and JetClass has 10"
        raise InputError(f"has {n_classes} outputs, {given}: name each output once, in their order, with --classes")
    return chosen


def _encoder_card(asked: WeaverWeights, state: Tensors) -> EncoderCard:
    if asked.architecture == "particlenet":
        return particlenet_card(state, asked.neighbours)
    return part_card(state, pair_activation=asked.pair_activation)
