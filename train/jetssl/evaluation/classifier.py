"""An encoder with a head, and its training; low-rank adapters of the encoder.

Letters: B jets, N constituents, F features, P width behind the projection, O outputs of the head.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from jetssl.common.devices import moved, on_own_device
from jetssl.evaluation.heads import cross_entropy
from jetssl.methods.optimizers import AdamW, groups_of_rates, layer_depths
from jetssl.methods.schedules import warmup_cosine
from jetssl.models.encoder import Encoder
from jetssl.models.particle_transformer import ParticleTransformer
from resim.common.arrays import Floats, Integers
from resim.common.errors import InputError

RANK = 8
"""Of the low-rank adapters; 4 to 8 in arXiv:2106.09685."""
CHECKS = 10
"""Looks at the validation loss in one training."""
PATIENCE = 4
"""Looks without a lower one after which it ends."""
WARMUP = 0.1


@dataclass(frozen=True, slots=True)
class Rates:
    """Peak learning rates of AdamW."""

    encoder: float
    head: float
    layer_decay: float = 1.0
    """factor for each layer of the encoder further down"""


class Headed(nn.Module):
    """A head on an encoder, which learn at rates of their own."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head


class Projected(nn.Module):
    """An encoder, and behind it the part of a head that is pre-trained."""

    def __init__(self, encoder: nn.Module, projection: nn.Module) -> None:
        super().__init__()
        self.encoder, self.projection = encoder, projection

    def forward(self, *inputs: Any) -> torch.Tensor:
        """A `JetBatch`, as anything that the encoder takes → `(B, P)`."""
        projected: torch.Tensor = self.projection(self.encoder(*inputs).jet)
        return projected


class Classifier(Headed):
    """Outputs `(B, O)` of a head on what its encoder, e.g. `Projected`, makes of the inputs."""

    def forward(self, *inputs: Any) -> torch.Tensor:
        """Anything that the encoder takes → `(B, O)`."""
        outputs: torch.Tensor = self.head(self.encoder(*inputs))
        return outputs


Loss = Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]
"""Output of the model, labels, share of the training that is done → a scalar."""


def _cross_entropy(outputs: torch.Tensor, targets: torch.Tensor, progress: float) -> torch.Tensor:  # noqa: ARG001
    if targets.ndim == 1:
        return cross_entropy(outputs, targets)
    return cross_entropy(outputs, targets[:, 0].long(), targets[:, 1])


def targets_of(classes: Integers, weights: Floats | None) -> torch.Tensor:
    """What the cross-entropy compares with: classes, int64 `(B,)`, or with weights both, float64 `(B, 2)`."""
    return torch.from_numpy(classes if weights is None else np.stack([classes, weights], axis=1))


Batches = Iterator[tuple[tuple[Any, ...], torch.Tensor]]
"""Inputs of a model, and what the loss compares its output with."""


def train(  # noqa: PLR0913, PLR0917
    model: Headed,
    batches: Batches,
    steps: int,
    rates: Rates,
    validation_loss: Callable[[], float],
    loss: Loss = _cross_entropy,
) -> None:
    """AdamW with warm-up and cosine; ends with the weights of lowest validation loss, those before step 1 included.

    Args:
        model: trained in place, on a GPU if there is one; parameters that ask for no gradient stay.
        batches: inputs of the model, and what the loss compares its output with; by default `targets_of`.
        steps: at most so many.
        rates: peak rates.
        validation_loss: of the model as it is.
        loss: cross-entropy by default.

    Raises:
        InputError: the loss is not finite, or a decay meets an encoder without layers that follow each other.
    """
    with on_own_device(model) as device:
        _descend(model, batches, steps, rates, validation_loss, loss, device)
    model.eval()


def _descend(  # noqa: PLR0913, PLR0917
    model: Headed,
    batches: Batches,
    steps: int,
    rates: Rates,
    validation_loss: Callable[[], float],
    loss: Loss,
    device: torch.device,
) -> None:
    optimizer = _optimizer(model, rates)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: warmup_cosine(step, steps, WARMUP))
    best, kept, waited = validation_loss(), deepcopy(model.state_dict()), 0
    for step in range(1, steps + 1):
        inputs, labels = next(batches)
        model.train()
        _step(model, loss(model(*moved(inputs, device)), labels.to(device), step / steps), optimizer)
        schedule.step()
        if step % max(steps // CHECKS, 1) and step < steps:
            continue
        found = validation_loss()
        waited = 0 if found < best else waited + 1
        if found < best:
            best, kept = found, deepcopy(model.state_dict())
        if waited == PATIENCE:
            break
    model.load_state_dict(kept)


def _optimizer(model: Headed, rates: Rates) -> AdamW:
    depths = layer_depths(model.encoder) if rates.layer_decay < 1 else {}
    encoder = [
        (weights, rates.encoder * rates.layer_decay ** depths.get(name, 0))
        for name, weights in model.encoder.named_parameters()
    ]
    head = [(weights, rates.head) for weights in model.head.parameters()]
    return AdamW(groups_of_rates([*encoder, *head]), weight_decay=0.01)


def _step(model: nn.Module, loss: torch.Tensor, optimizer: AdamW) -> None:
    if not torch.isfinite(loss):
        raise InputError(f"the loss of the fine-tuning is {loss.item()}; look at the constituents of the file")
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()


def with_adapters(encoder: Encoder, seed: int) -> nn.Module:
    """The frozen encoder with low-rank adapters (arXiv:2106.09685) on its attention and feed-forward maps.

    It starts with the output of the encoder, and `merge_and_unload()` gives back an encoder without adapters.

    Raises:
        InputError: the encoder has no such maps, or peft is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise InputError("--mode lora needs peft; install the extra `lora`") from error
    targets = [
        name
        for name, module in encoder.named_modules()
        if isinstance(module, nn.Linear) and {"attention", "feed_forward"} & set(name.split("."))
    ]
    if any(isinstance(module, ParticleTransformer) for module in encoder.modules()):
        # It reads weights of these maps, to multiply scales into them, and would not see the adapters.
        raise InputError("--mode lora: encoder 'part' computes past adapters; choose full, or encoder 'transformer'")
    if not targets:
        raise InputError("--mode lora: the encoder has no linear maps of attention and feed-forward; choose another")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        adapted: nn.Module = get_peft_model(encoder, LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=targets))
    return adapted
