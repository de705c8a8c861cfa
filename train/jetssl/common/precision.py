"""Number formats: what a card calls them, and what must not be computed in the short one.

With `bf16`, products of matrices are computed in bfloat16 (8 bits of mantissa) by torch's autocast. Weights,
optimizer, losses, statistics of batch norms, distances of neighbours, pair features and sums over constituents stay
in single precision.
"""

import logging
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal

import torch

log = logging.getLogger(__name__)

Precision = Literal["single", "double", "bf16"]

PRECISIONS: Final[dict[Precision, Literal["32-true", "64-true", "bf16-mixed"]]] = {
    "single": "32-true",
    "double": "64-true",
    "bf16": "bf16-mixed",
}
"""Lightning's names."""


def available(precision: Precision, device_type: str) -> Precision:
    """The precision that a card asks for, or `single`, with a warning, on GPUs without units for bfloat16.

    CPUs without them have it in software, slowly.
    """
    lacks = device_type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bf16" and lacks:
        log.warning("training.precision: bf16, for which this GPU has no units; going on with single")
        return "single"
    return precision


def no_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Number formats as they are inside the block, on a device that may have autocast."""
    known = torch.amp.autocast_mode.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if known else nullcontext()


def at_least_single(values: torch.Tensor) -> torch.Tensor:
    """Any shape; bfloat16 and float16 → float32, float32 and float64 as they are."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
