"""Checkpoints: state dict and resolved card, readable with `torch.load(weights_only=True)`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from jetssl.config.card import Card, card_from
from jetssl.models.builder import build_encoder
from jetssl.models.encoder import Encoder
from jetssl.models.projector import Projector
from resim.common.errors import InputError

KEY: Final = "jetssl"
"""Entry of the checkpoint that holds the description."""
FORMAT_VERSION: Final = 3


@dataclass(frozen=True, slots=True)
class LoadedEncoder:
    """A pre-trained encoder, in evaluation mode, and where it comes from."""

    encoder: Encoder
    card: Card
    epoch: int
    """epochs of training behind it"""
    classes: tuple[str, ...]
    """names of the classes in the training files, in the order of a classifier's outputs"""


def description(card: Card, classes: tuple[str, ...]) -> str:
    """What a checkpoint says about itself: JSON with the format version, the resolved card and the class names."""
    return json.dumps({"format_version": FORMAT_VERSION, "card": card.model_dump(mode="json"), "classes": classes})


def load_encoder(path: Path) -> LoadedEncoder:
    """Read the encoder of a checkpoint; projector and optimizer are left behind.

    Raises:
        InputError: the file is missing, no checkpoint of jetssl, or does not fit the encoder that it names.
    """
    raw = read_checkpoint(path)
    described = _description(raw, path)
    card = card_from(described["card"], path)
    encoder = build_encoder(card, seed=0)
    try:
        encoder.load_state_dict(_part(raw["state_dict"], "encoder."))
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path}: weights do not fit encoder {card.encoder.name!r} of its card ({reason})"
        ) from error
    return LoadedEncoder(encoder.eval(), card, int(raw["epoch"]) + 1, tuple(described["classes"]))


def load_projector(path: Path) -> Projector:
    """Read the projector of a checkpoint, in evaluation mode.

    Raises:
        InputError: as `load_encoder`, or the training had none.
    """
    raw = read_checkpoint(path)
    state = _part(raw["state_dict"], "projector.")
    card = card_from(_description(raw, path)["card"], path)
    if not state:
        raise InputError(
            f"{path}: objective {card.objective.name!r} trains no projector; choose the encoder's vectors"
        )
    projector = Projector(build_encoder(card, seed=0).width, card.projector)
    projector.load_state_dict(state)
    return projector.eval()


def _part(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint, everything on the CPU.

    Raises:
        InputError: the file is missing, damaged or of another program.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; train with `jetssl train CARD -o RUN`")
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on foreign bytes torch's unpickler stumbles over anything: IndexError, EOFError ...
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: not a readable checkpoint ({reason}); train again with --force") from error
    if not isinstance(raw, dict) or not isinstance(raw.get(KEY), str) or "state_dict" not in raw:
        raise InputError(f"{path}: a torch file, but no checkpoint of jetssl (entry {KEY!r} is missing)")
    return raw


def refuse_other_card(path: Path, card: Card) -> None:
    """Look at a checkpoint before a training goes on from it.

    Raises:
        InputError: the file is missing, no checkpoint of jetssl, or comes from a training with another card.
    """
    other = card_from(_description(read_checkpoint(path), path)["card"], path)
    if other != card:
        raise InputError(
            f"{path}: comes from a training of encoder {other.encoder.name!r} with another card than the run's"
            f" config.yaml (encoder {card.encoder.name!r}); put the right file there, or train again with --force"
        )


def _description(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(raw[KEY])
    version = described.get("format_version")
    if version != FORMAT_VERSION:
        raise InputError(f"{path}: checkpoint format {version}, this jetssl reads {FORMAT_VERSION}; train again")
    return described
