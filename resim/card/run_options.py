"""How to run, as opposed to what to make: the options of `resim generate`."""

import re
import sys
from dataclasses import dataclass
from typing import Final, Self

from resim.common.errors import InputError

CHUNK_SIZE: Final = 200
"""Events a chunk: what is done once a chunk counts little, and what a crash loses are seconds."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard of a run, for array jobs: number 1 … `of`.

    Raises:
        InputError: the number is out of range.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        """Check the range."""
        if not 1 <= self.number <= self.of:
            raise InputError(f"--shard {self}: want I/K with 1 <= I <= K, as in 3/10")

    def __str__(self) -> str:
        """As the option has it."""
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The shard of a text as `3/10`.

        >>> Shard.parse("3/10")
        Shard(number=3, of=10)
        """
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
        if found is None:
            raise InputError(f"--shard {text}: want I/K with 1 <= I <= K, as in 3/10")
        return cls(int(found[1]), int(found[2]))

    def range_of(self, n: int) -> range:
        """This shard's share of `n` numbered things; the shards of a run hold each of them once.

        >>> [list(Shard(i, 3).range_of(7)) for i in (1, 2, 3)]
        [[0, 1], [2, 3], [4, 5, 6]]
        """
        return range((self.number - 1) * n // self.of, self.number * n // self.of)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run, as opposed to what to make: `resim generate`'s options.

    Attributes:
        n_events: events to read per source, None for all.
        seed: the run's seed.
        workers: number of processes.
        chunk_size: events a chunk.
        scheduler: address of a Dask scheduler whose workers make the chunks; None: this machine.
        shard: the shard of the run to make.
        skip_bad_events: count events of an LHE file that are broken and go on, instead of stopping.
        ignore_matching: shower samples that were made for a matching which no view does.
        resume: go on with an unfinished run; a finished one is left as it is.
        force: replace an existing output.
        quiet: no progress report.
    """

    n_events: int | None = None
    seed: int = 1
    workers: int = 1
    chunk_size: int = CHUNK_SIZE
    scheduler: str | None = None
    shard: Shard = Shard(1, 1)
    skip_bad_events: bool = False
    ignore_matching: bool = False
    resume: bool = False
    force: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            InputError: an option is out of range.
        """
        limits = {"--n-events": self.n_events, "--workers": self.workers, "--chunk-size": self.chunk_size}
        for name, value in limits.items():
            if value is not None and not 1 <= value <= sys.maxsize:
                raise InputError(f"{name} {value}: must be at least 1 and at most {sys.maxsize}")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed {self.seed}: must be in 0 ... 2**63 - 1")
        if self.resume and self.force:
            raise InputError("--resume and --force exclude each other; choose one")
        if self.scheduler is not None and self.workers > 1:
            raise InputError(f"--workers {self.workers}: the workers of --scheduler do the work; leave one out")
