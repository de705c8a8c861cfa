"""The memory that a training takes at least, told from its card before anything is allocated, and what it took."""

import os
import resource
import sys
from collections.abc import Mapping
from typing import Final

import torch
from torch import nn

from jetssl.config.card import Card
from jetssl.methods.builder import method_class
from jetssl.models.encoder import Encoder
from resim.common.errors import InputError

_COPIES: Final = 4
"""Weights, their gradients, and two moments of AdamW."""
_CONSTITUENTS: Final = 20
"""Of a jet, at least: jets of 200 GeV have 30 on average."""
_SIMILARITIES: Final = 2
"""Matrices of all pairs of a batch that a contrastive loss holds: the similarities, and their gradient."""


def refuse_too_large(card: Card, classes: tuple[str, ...], processes: int) -> None:
    """Refuse a card whose model and batch do not fit into the memory of this machine.

    Args:
        card: the training card.
        classes: class names of the data.
        processes: how many share a batch.

    Raises:
        InputError: names the larger part, both numbers, and the key to lower.
    """
    parts = memory_of(card, classes, processes)
    key, needed = max(parts.items(), key=lambda part: part[1])
    if (total := sum(parts.values())) > (there := machine_memory()):
        raise InputError(
            f"{key}: the training takes at least {total / 1e9:.3g} GB, {needed / 1e9:.3g} GB of it by this key; this"
            f" machine has {there / 1e9:.3g} GB: lower {key}"
        )


def memory_of(card: Card, classes: tuple[str, ...], processes: int) -> Mapping[str, float]:
    """Bytes that each part takes at least, by the key of the card that governs it."""
    plain = card.model_copy(update={"training": card.training.model_copy(update={"compile": False})})
    with torch.device("meta"):  # shapes without memory
        method = method_class(card.objective.name)(plain, 1, classes)
    size = 8 if card.training.precision == "double" else 4  # bytes of a number
    rows = card.data.batch_size / processes
    inputs = sum(part.in_features for part in method.encoder.modules() if isinstance(part, nn.Linear))
    encoders = sum(_copies(part) for part in method.children() if isinstance(part, Encoder))
    weights = {"encoder": encoders, card.objective.beside_encoder: _copies(method) - encoders}
    jets, compared = rows * card.objective.versions, rows * card.objective.jets_per_row
    similarities = (
        _SIMILARITIES * compared**2 * processes if card.objective.name in {"ntxent", "supcon", "anomclr"} else 0
    )
    return {name: float(size * n) for name, n in weights.items()} | {
        "data.batch_size": size * (jets * _CONSTITUENTS * inputs + similarities)
    }


def _copies(module: nn.Module) -> int:
    """Numbers that the weights of a module take; averages, which do not learn, are there once."""
    return sum((_COPIES if weights.requires_grad else 1) * weights.numel() for weights in module.parameters())


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def restart_peak_memory() -> None:
    """Forget what `peak_memory` has seen on a GPU."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> int:
    """Bytes: most that tensors took on the GPU of this process, or without one most that the process ever took."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024  # of getrusage
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
