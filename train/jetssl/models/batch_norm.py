"""Batch norm over the rows of all processes.

torch's own synchronized version wants a GPU. Here every process has another number of rows (constituents, pairs or
edges), maybe none.

Letters: T rows of this process, C channels.
"""

from typing import cast

import torch
from torch import nn

from jetssl.common.collectives import n_processes, total
from jetssl.common.precision import at_least_single


class BatchNorm(nn.BatchNorm1d):
    """`nn.BatchNorm1d` of `(T, C)`, whose means and variances while training are those of all processes together."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002
        """`(T, C)` → `(T, C)`, in single precision at least."""
        input = at_least_single(input)  # noqa: A001
        if not self.training or n_processes() == 1:
            normed: torch.Tensor = super().forward(input)
            return normed
        rows = torch.full((), len(input), dtype=torch.float64, device=input.device)
        count = total(rows).clamp(min=1).to(input.dtype)
        mean = total(input.sum(0)) / count
        centred = input - mean
        variance = total(centred.square().sum(0)) / count
        self._remember(mean.detach(), variance.detach(), count)
        return centred * (variance + self.eps).rsqrt() * self.weight + self.bias

    @torch.no_grad()
    def _remember(self, mean: torch.Tensor, variance: torch.Tensor, count: torch.Tensor) -> None:
        """Let the running statistics, of which the variance divides by N - 1, follow."""
        cast(torch.Tensor, self.num_batches_tracked).add_(1)
        momentum = cast(float, self.momentum)
        cast(torch.Tensor, self.running_mean).lerp_(mean, momentum)
        cast(torch.Tensor, self.running_var).lerp_(variance * count / (count - 1).clamp(min=1), momentum)
