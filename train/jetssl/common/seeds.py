"""Counter-based random streams: a draw depends on its address, never on what was drawn before.

So a resumed run sees exactly the batches that an uninterrupted one would.
"""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a random stream is for; the number is part of its address and must not change."""

    ORDER = 0
    TRAINING_BATCH = 1
    VALIDATION_BATCH = 2
    WEIGHTS = 3
    LABELS = 4
    BOOTSTRAP = 5
    RANDOM_ENCODER = 6
    DROPOUT = 7
    FINE_TUNING = 8
    VALIDATION_LABELS = 9
    STUDENT = 10
    LABEL_NOISE = 11
    MIXTURES = 12
    ANOMALY = 13
    DIRECTIONS = 14
    CWOLA = 15
    HALVES = 20
    GEOMETRY = 21
    SEEDS = 22
    DETECTOR = 23


def generator(seed: int, stream: Stream, *address: int) -> np.random.Generator:
    """The generator at an address such as (epoch, batch).

    >>> a, b = (generator(1, Stream.ORDER, 3).random() for _ in range(2))
    >>> a == b
    True
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(int(stream), *address))
    return np.random.Generator(np.random.Philox(sequence))


def torch_seed(seed: int, stream: Stream, *address: int) -> int:
    """A seed for `torch.manual_seed` at an address."""
    sequence = np.random.SeedSequence(seed, spawn_key=(int(stream), *address))
    return int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1))
