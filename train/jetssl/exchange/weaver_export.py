"""What `jetssl export --format weaver` does: write encoder and head of a run as weights that weaver-core loads."""

import io
import logging
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from jetssl.config.encoders import EncoderCard, ParticleNetCard
from jetssl.data.features import FEATURE_SETS
from jetssl.evaluation.heads import Head, perceptron
from jetssl.evaluation.trained import Trained, load_trained
from jetssl.models.batch_norm import BatchNorm
from jetssl.models.encoder import Encoder
from jetssl.models.normalization import Normalized
from jetssl.models.particle_transformer import ParticleTransformer
from jetssl.models.particlenet import ParticleNet
from jetssl.models.weaver import CLASSES, constructor, places, to_weaver
from resim.common.atomic_write import write_bytes
from resim.common.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WeaverFile:
    """What was written, and what reads it."""

    network: str
    """the class of weaver-core"""
    arguments: dict[str, Any]
    """of its constructor"""
    features: tuple[str, ...]
    """names of its inputs, in order"""
    classes: tuple[str, ...]
    """names of its outputs, in order"""


def export_weaver(run: Path, output: Path) -> WeaverFile:
    """Write the state dict of a run's encoder and head by the names of weaver-core.

    The normalization of features goes into the batch norm of the input, so that weaver-core reads features as they
    are. A head of one output, for two classes, gets a second one, which is 0; a linear head of ParticleNet gets a
    hidden layer that changes nothing.

    Args:
        run: a supervised, fine-tuned or imported run with encoder `particlenet` or `part`.
        output: the file; replaced if it exists.

    Raises:
        InputError: no such run, or a head that weaver-core does not have.
    """
    trained = load_trained(run)
    card = trained.loaded.card
    if card.encoder.name not in CLASSES:
        raise InputError(f"{run}: encoder {card.encoder.name!r}; weaver-core has {', '.join(CLASSES)}")
    encoder, classifier = _encoder(trained.loaded.encoder), _classifier(trained)
    if isinstance(encoder, ParticleNet) and isinstance(classifier, nn.Linear):
        classifier = _behind_a_hidden_layer(classifier)
    names, sizes = FEATURE_SETS[card.data.feature_set].names, _sizes(classifier)
    _warn_of_padding(run, card.encoder)
    state = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    state |= {f"classifier.{name}": value for name, value in classifier.state_dict().items()}
    content = io.BytesIO()
    torch.save(to_weaver(state, places(encoder, classifier)), content)
    write_bytes(output, content.getvalue())
    arguments = constructor(card.encoder, len(names), sizes[:-1], sizes[-1])
    return WeaverFile(CLASSES[card.encoder.name], arguments, names, trained.record.classes)


def _warn_of_padding(run: Path, card: EncoderCard) -> None:
    if isinstance(card, ParticleNetCard) and card.missing_neighbours == "left_out":
        log.warning(
            "%s: weaver-core averages over padding where a jet has fewer than %d constituents; its outputs of"
            " such jets will differ",
            run,
            card.neighbours + 1,
        )


def _encoder(encoder: Encoder) -> Encoder:
    """An encoder that reads features as they are."""
    if not isinstance(encoder, Normalized):
        return encoder
    inner = deepcopy(encoder.encoder)
    if isinstance(inner, ParticleNet):
        _absorb(inner.input_norm, encoder.mean, encoder.spread)
    elif isinstance(inner, ParticleTransformer):
        _absorb(inner.embed.input_bn, encoder.mean, encoder.spread)
    return inner


@torch.no_grad()
def _absorb(norm: BatchNorm, mean: torch.Tensor, spread: torch.Tensor) -> None:
    """Let a batch norm of (x - mean) / spread be one of x, `(F,)` each."""
    running_mean, running_var = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    scale = spread * (running_var + norm.eps).sqrt()  # what x - running mean is divided by
    running_mean.copy_(mean + spread * running_mean)
    running_var.copy_((scale.square() - norm.eps).clamp(min=0))
    norm.weight.mul_((running_var + norm.eps).sqrt() / scale)


def _classifier(trained: Trained) -> nn.Module:
    """Linear maps with ReLU between them, an output for each class."""
    head = trained.head
    if isinstance(head, Head):
        if not isinstance(head.projection, nn.Identity):
            raise InputError(
                f"{trained.path}: its head {trained.record.head!r} reads the projector, which weaver-core has not;"
                " fine-tune with --head linear"
            )
        head = head.output
    if not isinstance(head, nn.Linear) or head.out_features > 1:
        return head
    both = perceptron(head.in_features, (), 2)
    zero = {name: torch.zeros_like(value) for name, value in head.state_dict().items()}
    both.load_state_dict({name: torch.cat([value, zero[name]]) for name, value in head.state_dict().items()})
    return both


@torch.no_grad()
def _behind_a_hidden_layer(last: nn.Linear) -> nn.Module:
    """The same of vectors that are nowhere negative, as ParticleNet's are: its class there wants a hidden layer."""
    width = last.in_features
    classifier = perceptron(width, (width,), last.out_features)
    first, _, behind = classifier.children()
    first.load_state_dict({"weight": torch.eye(width), "bias": torch.zeros(width)})
    behind.load_state_dict(last.state_dict())
    return classifier


def _sizes(classifier: nn.Module) -> list[int]:
    return [layer.out_features for layer in classifier.modules() if isinstance(layer, nn.Linear)]
