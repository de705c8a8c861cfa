"""The optimizer."""

from collections.abc import Callable
from typing import Any

import torch

from jetssl.common.threads import torch_threads


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
