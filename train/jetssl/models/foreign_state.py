"""State dicts of other programs: sizes read from their shapes, and one line where they do not fit a network."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import torch
from pydantic import ValidationError

from resim.common.cards import CardModel
from resim.common.errors import InputError, reason_of

Tensors = Mapping[str, torch.Tensor]
CardT = TypeVar("CardT", bound=CardModel)

_NAMED: Final = 3
"""Names that a message lists at most."""


def refuse_misfit(state: Tensors, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """See whether a state dict is that of a network.

    Args:
        state: names and tensors.
        shapes: name → shape of each tensor that the network has.

    Raises:
        InputError: names the tensors that are missing, surplus, of another shape, or not finite.
    """
    _refuse("misses", [name for name in shapes if name not in state])
    _refuse("has, beyond this network,", sorted(state.keys() - shapes.keys()))
    _refuse(
        "has another shape of",
        [
            f"{name} {tuple(state[name].shape)} instead of {shape}"
            for name, shape in shapes.items()
            if tuple(state[name].shape) != shape
        ],
    )
    _refuse(
        "has values that are not finite in", [name for name, value in state.items() if not value.isfinite().all()]
    )


def _refuse(what: str, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        raise InputError(f"{what} {', '.join(names[:_NAMED])}{more}")


def single(value: torch.Tensor) -> torch.Tensor:
    """Floats in single precision, whole numbers as they are."""
    return value.float() if value.is_floating_point() else value


def count(state: Iterable[str], prefix: str) -> int:
    """How many numbered modules there are behind a name.

    >>> count(["blocks.0.weight", "blocks.1.weight", "norm.weight"], "blocks")
    2
    """
    return 1 + max(numbers(state, prefix), default=-1)


def numbers(state: Iterable[str], prefix: str) -> set[int]:
    """Those of the numbered modules behind a name."""
    pattern = re.compile(rf"{re.escape(prefix)}\.(\d{{1,4}})\.")
    return {int(found[1]) for name in state if (found := pattern.match(name))}


def size(state: Tensors, name: str, axis: int = 0) -> int:
    """Length of a tensor along an axis; 0 if it has no such axis.

    Raises:
        InputError: there is no such tensor.
    """
    if name not in state:
        raise InputError(f"misses {name}")
    shape = state[name].shape
    return shape[axis] if axis < len(shape) else 0


def section(model: type[CardT], sizes: dict[str, Any]) -> CardT:
    """A section of a card, from sizes that were read from shapes.

    Raises:
        InputError: there is no network of such sizes.
    """
    try:
        return model.model_validate(sizes)
    except ValidationError as error:
        raise InputError(f"has impossible sizes: {reason_of(error)}") from error
