"""Density of jet vectors by a normalizing flow: masked autoregressive, affine (arXiv:1705.07057).

Letters: n vectors to learn from, T to score, D columns.
"""

import copy
from itertools import count
from typing import Final

import numpy as np
import torch

from resim.common.arrays import Floats
from resim.common.errors import InputError

TRANSFORMS: Final = 3
HIDDEN: Final = (64,)
"""Hidden sizes of the perceptron of each transform."""
RATE: Final = 1e-3
"""Of Adam."""
BATCH: Final = 256
HELD_OUT: Final = 0.1
"""Share of the vectors whose likelihood ends the fit."""
PATIENCE: Final = 10
"""Passes without a higher one after which it ends."""
PASSES: Final = 200
"""At most."""


def negative_log_density(learned: Floats, scored: Floats, seed: int) -> Floats:
    """Minus the log of the density of `learned`, `(n, D)`, at `scored`, `(T, D)`: float64 `(T,)`.

    The fit that describes a tenth of the vectors best, which it does not learn.

    Args:
        learned: standardized.
        scored: on the same scale.
        seed: of weights, order and held-out vectors.

    Raises:
        InputError: zuko is not installed.
    """
    try:
        from zuko.flows import MAF
    except ImportError as error:
        raise InputError("--score flow needs zuko; install the extra `flow`") from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        flow = MAF(learned.shape[1], transforms=TRANSFORMS, hidden_features=HIDDEN)
        vectors = torch.from_numpy(learned).float()[torch.randperm(len(learned))]
        n_held_out = max(1, round(HELD_OUT * len(vectors)))
        _fit(flow, vectors[n_held_out:], vectors[:n_held_out])
    with torch.no_grad():
        return np.asarray(-flow().log_prob(torch.from_numpy(scored).float()).double().numpy())


def _fit(flow: torch.nn.Module, learned: torch.Tensor, held_out: torch.Tensor) -> None:
    """Maximize the likelihood of `learned` until that of `held_out` falls; the best weights are kept."""
    optimizer = torch.optim.Adam(flow.parameters(), RATE)
    best, kept, since = torch.inf, copy.deepcopy(flow.state_dict()), count()
    for _ in range(PASSES):
        for batch in torch.split(learned[torch.randperm(len(learned))], BATCH):
            optimizer.zero_grad()
            (-flow().log_prob(batch).mean()).backward()
            torch.nn.utils.clip_grad_norm_(flow.parameters(), 1.0)
            optimizer.step()
        with torch.no_grad():
            loss = float(-flow().log_prob(held_out).mean())
        if loss < best:
            best, kept, since = loss, copy.deepcopy(flow.state_dict()), count()
        elif next(since) >= PATIENCE:
            break
    flow.load_state_dict(kept)
