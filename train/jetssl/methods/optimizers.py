"""The optimizer, and which parameters learn at which rate."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from jetssl.common.threads import torch_threads
from jetssl.config.training import TrainingCard
from jetssl.models.encoder import Encoder
from resim.common.errors import InputError


class AdamW(torch.optim.AdamW):
    """AdamW (arXiv:1711.05101) on one thread.

    To wake others for each of hundreds of small tensors takes longer than to update them, and large ones go as fast
    as memory does.
    """

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Call `closure` with all threads, if there is one, then update; returns what it returned."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        with torch_threads(1):
            super().step()
        return loss


def parameter_groups(module: nn.Module, card: TrainingCard) -> list[dict[str, Any]]:
    """The parameters that learn, in groups of one rate each, for an optimizer; the highest rate comes first.

    A rate is the card's, times the factor of the module (`training.rates`), times `training.layer_decay` to the power
    of the depth in an encoder (layer-wise decay, arXiv:2003.10555, sec. 3.2; as in BEiT, arXiv:2106.08254, a norm,
    pooling or class blocks above the layers have the full rate, the embedding the smallest).

    Args:
        module: a method with all its parts.
        card: the section `training`.

    Raises:
        InputError: `training.rates` names what nothing that learns is part of, or `training.layer_decay` meets an
            encoder without layers that follow each other.
    """
    learning = {name: weights for name, weights in module.named_parameters() if weights.requires_grad}
    _refuse_unknown(card.rates, list(learning))
    depths = {} if card.layer_decay is None else layer_depths(module)

    def factor(name: str) -> float:
        part = max((part for part in card.rates if _is_part(name, part)), key=len, default=None)
        own = 1.0 if part is None else card.rates[part]
        return own * (card.layer_decay or 1.0) ** depths.get(name, 0)

    return groups_of_rates((weights, factor(name) * card.learning_rate) for name, weights in learning.items())


def groups_of_rates(parameters: Iterable[tuple[nn.Parameter, float]]) -> list[dict[str, Any]]:
    """Groups for an optimizer, of the parameters that learn, by their rates; the highest comes first."""
    groups: defaultdict[float, list[nn.Parameter]] = defaultdict(list)
    for weights, rate in parameters:
        if weights.requires_grad:
            groups[rate].append(weights)
    return [{"params": groups[rate], "lr": rate} for rate in sorted(groups, reverse=True)]


def layer_depths(module: nn.Module) -> Mapping[str, int]:
    """Depths of the parameters of all encoders in a module, by their names there.

    Raises:
        InputError: no encoder in it has layers that follow each other.
    """
    encoders = {name: child for name, child in module.named_children() if isinstance(child, Encoder)}
    depths = {
        f"{name}.{inside}": depth for name, child in encoders.items() for inside, depth in child.depths().items()
    }
    if not any(depths.values()):
        raise InputError("layer_decay: this encoder has no layers that follow each other; leave it out")
    return depths


def _is_part(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def _refuse_unknown(rates: Mapping[str, float], learning: list[str]) -> None:
    for part in rates:
        if not any(_is_part(name, part) for name in learning):
            known = ", ".join(dict.fromkeys(name.partition(".")[0] for name in learning))
            raise InputError(
                f"training.rates: nothing that learns is part of {part!r}; choose among {known}, and"
                " what they consist of, as in encoder.blocks.0"
            )
