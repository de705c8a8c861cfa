"""Whose vectors are judged: the encoder's, or those inside the projector.

Letters: B jets, D model width, P width of a layer.
"""

import re
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from jetssl.config.card import Card
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import load_projector
from jetssl.models.projector import Projector
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats32
from resim.common.errors import InputError


@dataclass(frozen=True, slots=True)
class Layer:
    """`encoder`, or `projector.N` for the projector through its N-th linear map, activation included.

    >>> str(parse_layer("projector.2"))
    'projector.2'
    """

    depth: int
    """N; 0 for the encoder"""

    def __str__(self) -> str:
        """As on the command line and in the records."""
        return f"projector.{self.depth}" if self.depth else "encoder"


ENCODER: Final = Layer(0)


def parse_layer(text: str) -> Layer:
    """The layer of a name.

    Raises:
        InputError: it is no such name.
    """
    if text == "encoder":
        return ENCODER
    if not (match := re.fullmatch(r"projector\.([1-9]\d*)", text)):
        raise InputError(
            f"--layer {text}: want `encoder`, or `projector.1` for the first linear map of the projector"
        )
    return Layer(int(match[1]))


def trained_layer(run: RunFolder, layer: Layer) -> nn.Module:
    """What makes vectors of the layer from those of the encoder, `(B, D)` → `(B, P)`.

    Raises:
        InputError: the run has no projector, or not so many maps in it.
    """
    return nn.Identity() if layer == ENCODER else _cut(load_projector(run.best), layer)


def fresh_layer(card: Card, layer: Layer, seed: int) -> nn.Module:
    """The same with initial weights."""
    if layer == ENCODER:
        return nn.Identity()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _cut(Projector(build_encoder(card, seed).width, card.projector), layer).eval()


@torch.inference_mode()
def apply(layer: nn.Module, vectors: Floats32) -> Floats32:
    """Vectors of a layer, float32 `(B, P)`, from those of the encoder, `(B, D)`."""
    outputs: Floats32 = layer(torch.from_numpy(vectors)).numpy()
    return outputs


def _cut(projector: Projector, layer: Layer) -> nn.Module:
    if layer.depth > projector.depth:
        raise InputError(f"--layer {layer}: the projector has {projector.depth} linear maps; choose a lower one")
    return projector.through(layer.depth)
