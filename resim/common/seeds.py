"""Counter-based seeds: every random number of the chain follows from where it is used, never from what ran before.

The key of a random stream is (run seed, SHA-256 of the LHE file, event index, view in which the stage is run, stage,
attempt). Its 64-bit BLAKE2b hash is the seed, so events can be made in any order, by any number of workers.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Literal

from resim.common.units import PYTHIA_SEED_MAX

Stage = Literal["shower", "hadronization", "detector", "vertices", "decay"]


@dataclass(frozen=True, slots=True)
class SeedKey:
    """Address of a random stream within a run."""

    run_seed: int
    sha256: str
    event: int
    view: str
    stage: Stage
    attempt: int = 0


def seed64(key: SeedKey) -> int:
    """Seed of a stream, uniform in 0 … 2⁶⁴ - 1, e.g. for `numpy.random.SeedSequence`."""
    text = f"{key.view}\0{key.stage}".encode()
    message = struct.pack("<qqq", key.run_seed, key.event, key.attempt) + bytes.fromhex(key.sha256) + text
    return int.from_bytes(hashlib.blake2b(message, digest_size=8, person=b"resim").digest(), "little")


def pythia_seed(key: SeedKey) -> int:
    """Seed of a stream in Pythia's range 1 … 900,000,000.

    >>> pythia_seed(SeedKey(1, "00" * 32, 0, "nominal", "shower"))
    727472974
    """
    return seed64(key) % PYTHIA_SEED_MAX + 1
