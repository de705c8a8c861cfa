"""What `jetssl import --from omnilearned` does: make a run of a checkpoint of the package `omnilearned`."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import torch

from jetssl.config.encoders import OmniLearnedCard
from jetssl.data.published import OMNILEARNED
from jetssl.exchange.imported import Imported, WeightsFile, imported_card, refuse_no_tensors
from jetssl.models.builder import build_encoder
from jetssl.models.foreign_state import Tensors, count, refuse_misfit, section, single, size
from jetssl.models.omnilearned import DISPLACEMENTS, KINEMATICS, perceptron
from jetssl.training.provenance import RunProvenance
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError

HEADS: Final = {128: 8, 512: 16, 1024: 32}
"""Attention heads by the size of a token, of its small, medium and large networks (`get_model_parameters`)."""
PARTS: Final = ("body", "classifier_head")
"""What is read of a checkpoint (`omnilearned.utils.save_checkpoint`); the rest is of generation and of training."""
TIME: Final = ("body.MPFourier.", "body.time_embed.")
"""Of diffusion. Jets that are classified have time 0, whose token is 0, and so counts as padding."""


@dataclass(frozen=True, slots=True)
class OmniLearnedWeights:
    """A checkpoint, and what the weights do not tell."""

    file: Path
    """as `omnilearned train` saves it, of a mode with a classifier"""
    classes: tuple[str, ...] = ()
    """names of the outputs; empty: their numbers, as the labels of OmniLearned's files are"""
    neighbours: int = 10
    """its --k"""
    heads: int | None = None
    """of attention; None: what the interactions say, or that of its network of this size"""


def import_omnilearned(asked: OmniLearnedWeights, run: RunFolder, *, force: bool = False) -> RunProvenance:
    """Make a run, as `Imported.write` does.

    Args:
        asked: the checkpoint.
        run: the folder to make.
        force: replace the run that the folder holds.

    Raises:
        InputError: the file is unreadable or does not fit, the folder holds something, or the package `omnilearned`
            is not installed.
    """
    file = WeightsFile.read("omnilearned", asked.file, "a checkpoint of omnilearned")
    try:
        imported = _imported(asked, _state(file.load()))
    except InputError as error:
        raise InputError(f"{asked.file}: {error}; want a checkpoint of omnilearned with a classifier") from error
    return imported.write(file.record, run, force=force)


def _state(checkpoint: Mapping[Any, Any]) -> dict[str, torch.Tensor]:
    """Body and classifier in one, `body.token` …, without what only diffusion uses."""
    state: dict[str, torch.Tensor] = {}
    for part in PARTS:
        values = checkpoint.get(part)
        if not isinstance(values, dict):
            raise InputError(f"misses {part}")
        refuse_no_tensors(values)
        state |= {f"{part}.{name}": value for name, value in values.items()}
    if any(name.startswith("body.cond_embed.") for name in state):
        raise InputError("reads properties of whole jets (--conditional), which no feature set has")
    return {name: value for name, value in state.items() if not name.startswith(TIME)}


def _imported(asked: OmniLearnedWeights, state: Tensors) -> Imported:
    section_of_encoder = _encoder_card(asked, state)
    n_classes = size(state, "classifier_head.out.weight")
    classes = _classes(asked.classes, n_classes)
    card = imported_card("omnilearned", section_of_encoder)
    with torch.device("meta"):  # shapes without memory
        encoder, classifier = build_encoder(card, seed=0), perceptron(section_of_encoder, n_classes)
    ours = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    ours |= {f"classifier.{name}": value for name, value in classifier.state_dict().items()}
    refuse_misfit(state, {_theirs(name): tuple(value.shape) for name, value in ours.items()})
    found = {name: single(state[_theirs(name)]) for name in ours}
    packages = {"omnilearned": version("omnilearned")}
    return Imported(card, classes, found, encoder, classifier, packages)


def _theirs(name: str) -> str:
    """Their name of a tensor of our checkpoint."""
    for ours, theirs in (
        ("encoder.body.", "body."),
        ("encoder.blocks.", "classifier_head.in_blocks."),
        ("classifier.0.", "classifier_head.fc."),
        ("classifier.1.", "classifier_head.out."),
    ):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    raise AssertionError(name)


def _classes(names: tuple[str, ...], n_classes: int) -> tuple[str, ...]:
    if n_classes < 2:
        raise InputError(f"has {n_classes} outputs, a classifier has 2 at least")
    chosen = names or tuple(map(str, range(n_classes)))
    if len(chosen) != n_classes or len(set(chosen)) != n_classes:
        raise InputError(
            f"has {n_classes} outputs, --classes names {len(set(chosen))}: name each once, in their order, or none"
        )
    return chosen


def _encoder_card(asked: OmniLearnedWeights, state: Tensors) -> OmniLearnedCard:
    """Sizes, as far as shapes tell them."""
    _refuse_other_features(state)
    width = size(state, "body.token", 2)
    interactions = "body.interaction.mlp.fc2.weight"
    heads = asked.heads or (size(state, interactions) if interactions in state else HEADS.get(width))
    if heads is None:
        raise InputError(f"does not tell how many heads its tokens of {width} numbers have: say so with --heads")
    return section(
        OmniLearnedCard,
        {
            "width": width,
            "layers": count(state, "body.in_blocks"),
            "class_layers": count(state, "classifier_head.in_blocks"),
            "tokens": size(state, "body.token", 1),
            "heads": heads,
            "expansion": size(state, "body.embed.mlp.fc1.weight") // max(width, 1),
            "neighbours": asked.neighbours,
            "interactions": interactions in state,
            "local_interactions": size(state, "body.local_physics.mlp.fc1.weight", 1) > KINEMATICS,
            "types": size(state, _TYPES) if _TYPES in state else 0,
            "displacements": _DISPLACEMENTS in state,
        },
    )


_TYPES: Final = "body.pid_embed.0.weight"
_DISPLACEMENTS: Final = "body.add_embed.0.fc1.weight"


def _refuse_other_features(state: Tensors) -> None:
    """Other numbers of features are other features."""
    for what, name, wanted in (
        ("kinematic", "body.embed.mlp.fc1.weight", OMNILEARNED[:KINEMATICS]),
        ("additional", _DISPLACEMENTS, OMNILEARNED[-DISPLACEMENTS:]),
    ):
        if what == "additional" and name not in state:
            continue
        if (found := size(state, name, 1)) != len(wanted):
            raise InputError(f"reads {found} {what} features, of features omnilearned are {', '.join(wanted)}")
