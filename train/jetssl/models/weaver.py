"""Names, shapes and sizes of weaver-core's state dicts for the networks that both have, in both directions.

A convolution of length 1 there is a linear map here, with one or two axes less. The classifier `fc` there is linear
maps with ReLU between them. Names here are those of a checkpoint: `encoder.*` and `classifier.*`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn

from jetssl.config.encoders import EncoderCard, ParticleNetCard, ParticleTransformerCard
from jetssl.models.foreign_state import Tensors, count, numbers, refuse_misfit, section, single, size
from jetssl.models.particlenet import ParticleNet
from resim.common.errors import InputError

CLASSES: Final[dict[str, str]] = {
    "particlenet": "weaver.nn.model.ParticleNet.ParticleNet",
    "part": "weaver.nn.model.ParticleTransformer.ParticleTransformer",
}
"""Class of weaver-core by the name of the encoder."""
PREFIX: Final = "mod."
"""Before every name, as the networks in the examples of weaver-core wrap its own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where weaver-core keeps a tensor."""

    name: str
    shape: tuple[int, ...]
    ours: tuple[int, ...]
    """its shape here"""


def places(encoder: nn.Module, classifier: nn.Module) -> dict[str, Place]:
    """The place of each tensor of an encoder and its classifier, by its name in our checkpoints.

    Args:
        encoder: `ParticleNet` or `ParticleTransformer`.
        classifier: a linear map, or a sequence of them with activations between.
    """
    name_of = _of_particlenet if isinstance(encoder, ParticleNet) else _of_part
    found = {f"encoder.{name}": _place(name_of(name), value) for name, value in encoder.state_dict().items()}
    n_hidden = len(classifier) // 2 if isinstance(classifier, nn.Sequential) else 0
    of_classifier = {
        f"classifier.{name}": _place(_of_classifier(name, n_hidden), value)
        for name, value in classifier.state_dict().items()
    }
    return found | of_classifier


def _place(name: str, value: torch.Tensor) -> Place:
    axes = 0
    if value.dim() == 2:
        axes = next((axes for part, axes in _CONVOLUTIONS.items() if part in name), 0)
    return Place(name, (*value.shape, *(1,) * axes), tuple(value.shape))


_CONVOLUTIONS: Final = {".convs.": 2, ".sc.": 1, "pair_embed.": 1}
"""Axes of length 1 that weights with such a part in their name have there, and not here."""


def _of_particlenet(name: str) -> str:
    for ours, theirs in (
        ("input_norm", "bn_fts"),
        ("blocks", "edge_convs"),
        ("messages.first", "convs.0"),
        ("shortcut.0", "sc"),
        ("shortcut.1", "sc_bn"),
    ):
        name = name.replace(ours, theirs)
    return re.sub(r"messages\.rest\.(\d+)", lambda found: _of_edge_layer(int(found[1])), name)


def _of_edge_layer(place: int) -> str:
    """Behind the first linear map: batch norm, ReLU, linear map, and so on."""
    return f"convs.{(place + 1) // 3}" if place % 3 else f"bns.{place // 3}"


def _of_part(name: str) -> str:
    """The names that `nn.MultiheadAttention` gives, which every version of weaver-core reads."""
    return name.replace("in_proj.", "in_proj_")


def _of_classifier(name: str, n_hidden: int) -> str:
    *numbers, what = name.split(".")
    layer = int(numbers[0]) // 2 if numbers else 0
    return f"fc.{layer}.0.{what}" if layer < n_hidden else f"fc.{layer}.{what}"


def to_weaver(state: Tensors, places: Mapping[str, Place]) -> dict[str, torch.Tensor]:
    """A state dict that weaver-core's example networks load, from the tensors of a checkpoint."""
    return {f"{PREFIX}{place.name}": state[name].reshape(place.shape) for name, place in places.items()}


def from_weaver(state: Tensors, places: Mapping[str, Place]) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint, from `plain` names of weaver-core.

    Raises:
        InputError: names the tensors that are missing, surplus, of another shape, or not finite.
    """
    refuse_misfit(state, {place.name: place.shape for place in places.values()})
    return {name: single(state[place.name].reshape(place.ours)) for name, place in places.items()}


def plain(state: Tensors) -> dict[str, torch.Tensor]:
    """The tensors without `PREFIX`, attention by the names of `nn.MultiheadAttention`."""
    return {name.removeprefix(PREFIX).replace(".in_proj.", ".in_proj_"): value for name, value in state.items()}


def particlenet_card(state: Tensors, neighbours: int) -> ParticleNetCard:
    """Sizes of a ParticleNet, read from the shapes of its `plain` state.

    Args:
        state: names and tensors.
        neighbours: K, of which weights do not tell.

    Raises:
        InputError: a tensor is missing, or sizes are not those of a ParticleNet.
    """
    channels = [
        [size(state, f"{block}.convs.{layer}.weight") for layer in range(count(state, f"{block}.convs"))]
        for block in (f"edge_convs.{number}" for number in range(count(state, "edge_convs")))
    ]
    return section(ParticleNetCard, {"channels": channels, "neighbours": neighbours, "missing_neighbours": "padded"})


def part_card(state: Tensors, *, pair_activation: bool) -> ParticleTransformerCard:
    """Sizes of a Particle Transformer (version 1), likewise; weights do not tell of `pair_activation`.

    Raises:
        InputError: as `particlenet_card`.
    """
    embedding = _sizes(state, "embed.embed")
    pair_embedding = _sizes(state, "pair_embed.embed")
    width = size(state, "cls_token", 2)
    return section(
        ParticleTransformerCard,
        {
            "width": width,
            "layers": count(state, "blocks"),
            "class_layers": count(state, "cls_blocks"),
            "heads": size(state, "blocks.0.c_attn"),
            "expansion": size(state, "blocks.0.fc1.weight") // max(width, 1),
            "embedding": embedding[:-1],
            "pair_embedding": pair_embedding[:-1],
            "pair_activation": pair_activation,
        },
    )


def hidden_sizes(state: Tensors) -> tuple[list[int], int]:
    """Hidden sizes of the classifier, and its number of classes.

    Raises:
        InputError: there is none.
    """
    last = count(state, "fc") - 1
    return [size(state, f"fc.{layer}.0.weight") for layer in range(last)], size(state, f"fc.{max(last, 0)}.weight")


def _sizes(state: Tensors, prefix: str) -> list[int]:
    """Outputs of the linear maps of a perceptron, which has norms and activations between them."""
    weights = [f"{prefix}.{number}.weight" for number in sorted(numbers(state, prefix))]
    return [size(state, name) for name in weights if name in state and state[name].dim() > 1]


def constructor(card: EncoderCard, n_features: int, hidden: Sequence[int], n_classes: int) -> dict[str, Any]:
    """Arguments by which weaver-core's class makes the same network, dropout of the classifier apart."""
    classifier = [(outputs, 0.0) for outputs in hidden]
    if isinstance(card, ParticleNetCard):
        return {
            "input_dims": n_features,
            "num_classes": n_classes,
            "conv_params": [(card.neighbours, channels) for channels in card.channels],
            "fc_params": classifier,
            "use_fusion": False,
        }
    if isinstance(card, ParticleTransformerCard):
        rates = dict.fromkeys(("dropout", "attn_dropout", "activation_dropout"), card.dropout)
        return {
            "input_dim": n_features,
            "num_classes": n_classes,
            "pair_input_dim": 4,
            "use_pre_activation_pair": not card.pair_activation,
            "embed_dims": (*card.embedding, card.width),
            "pair_embed_dims": card.pair_embedding,
            "num_heads": card.heads,
            "num_layers": card.layers,
            "block_params": {"ffn_ratio": card.expansion, **rates},
            "num_cls_layers": card.class_layers,
            "cls_block_params": {"ffn_ratio": card.expansion},
            "fc_params": classifier,
        }
    raise InputError(f"encoder {card.name!r} is none that weaver-core has; want particlenet or part")
