"""Checkpoints: state dict and resolved card, sealed, readable with `torch.load(weights_only=True)`."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import nn

from jetssl.common.sealed import read_sealed, write_sealed
from jetssl.config.card import Card, card_from
from jetssl.models.builder import build_encoder
from jetssl.models.encoder import Encoder
from jetssl.models.projector import Projector
from resim.common.errors import InputError, reason_of

KEY: Final = "jetssl"
"""Entry of the checkpoint that holds the description."""
FORMAT_VERSION: Final = 4
"""Since 4 the file is sealed: it ends with the SHA-256 of its content."""


@dataclass(frozen=True, slots=True)
class LoadedEncoder:
    """A pre-trained encoder, in evaluation mode, and where it comes from."""

    encoder: Encoder
    card: Card
    epoch: int
    """epochs of training behind it"""
    classes: tuple[str, ...]
    """names of the classes in the training files, in the order of a classifier's outputs"""


class _Description(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: int
    card: dict[str, Any]
    classes: tuple[str, ...]


def description(card: Card, classes: tuple[str, ...]) -> str:
    """What a checkpoint says about itself: JSON with the format version, the resolved card and the class names."""
    return json.dumps({"format_version": FORMAT_VERSION, "card": card.model_dump(mode="json"), "classes": classes})


def load_encoder(path: Path, of: Card | None = None) -> LoadedEncoder:
    """Read the encoder of a checkpoint; projector and optimizer are left behind.

    Args:
        path: the checkpoint.
        of: card of the run that it lies in; None where there is no run.

    Raises:
        InputError: the file is missing, no checkpoint of jetssl, comes from a training with another card, or does not
            fit the encoder that it names.
    """
    raw = read_checkpoint(path)
    described = _description(raw, path)
    card = card_from(described.card, path)
    if of is not None:
        _refuse_other(path, card, of)
    encoder = build_encoder(card, seed=0)
    _fill(encoder, _part(raw["state_dict"], "encoder."), path, f"encoder {card.encoder.name!r}")
    return LoadedEncoder(encoder.eval(), card, raw["epoch"] + 1, described.classes)


def load_projector(path: Path) -> Projector:
    """Read the projector of a checkpoint, in evaluation mode.

    Raises:
        InputError: as `load_encoder`, or the training had none.
    """
    raw = read_checkpoint(path)
    state = _part(raw["state_dict"], "projector.")
    card = card_from(_description(raw, path).card, path)
    if not state:
        raise InputError(
            f"{path}: holds no projector (a fine-tuning, or objective {card.objective.name!r} trains none); choose"
            " the encoder's vectors"
        )
    projector = Projector(build_encoder(card, seed=0).width, card.projector)
    _fill(projector, state, path, "the projector")
    return projector.eval()


def _fill(module: nn.Module, state: dict[str, torch.Tensor], path: Path, what: str) -> None:
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: weights do not fit {what} of its card ({reason}); train again") from error


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
        raw = torch.load(io.BytesIO(read_sealed(path)), map_location="cpu", weights_only=True)
    except Exception as error:  # on foreign bytes torch's unpickler stumbles over anything: IndexError, EOFError ...
        reason = reason_of(error)
        raise InputError(f"{path}: not a readable checkpoint ({reason}); train again with --force") from error
    if not isinstance(raw, dict) or not isinstance(raw.get(KEY), str):
        raise InputError(f"{path}: a torch file, but no checkpoint of jetssl (entry {KEY!r} is missing)")
    state = raw.get("state_dict")
    if not isinstance(state, dict) or not isinstance(raw.get("epoch"), int):
        raise InputError(f"{path}: checkpoint without state_dict and epoch; train again with --force")
    if strange := [name for name, value in state.items() if not isinstance(name, str) or not torch.is_tensor(value)]:
        raise InputError(f"{path}: its state_dict holds {strange[0]!r}, want names and tensors; train again")
    return raw


def refuse_other_card(path: Path, card: Card) -> None:
    """Look at a checkpoint before a training goes on from it.

    Raises:
        InputError: the file is missing, no checkpoint of jetssl, or comes from a training with another card.
    """
    _refuse_other(path, card_from(_description(read_checkpoint(path), path).card, path), card)


def _refuse_other(path: Path, other: Card, card: Card) -> None:
    if not other.trains_like(card):
        raise InputError(
            f"{path}: comes from a training of encoder {other.encoder.name!r} with another card than the run's"
            f" config.yaml (encoder {card.encoder.name!r}); put the right file there, or train again with --force"
        )


def _description(raw: dict[str, Any], path: Path) -> _Description:
    try:
        version = json.loads(raw[KEY]).get("format_version")
        if version != FORMAT_VERSION:
            raise InputError(f"{path}: checkpoint format {version}, this jetssl reads {FORMAT_VERSION}; train again")
        return _Description.model_validate_json(raw[KEY])
    except (AttributeError, JSONDecodeError, ValidationError) as error:
        what = f"its entry {KEY!r} is no description ({reason_of(error)})"
        raise InputError(f"{path}: {what}; train again") from error


def write_checkpoint(path: Path, checkpoint: Mapping[str, Any]) -> None:
    """Write a checkpoint with its seal, whole or not at all.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    content = io.BytesIO()
    torch.save(checkpoint, content)
    write_sealed(path, content.getvalue())
