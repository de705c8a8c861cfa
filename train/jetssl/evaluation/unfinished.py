"""Arrays that a command computes one after the other: what an interrupted call finished, the next one takes over.

They lie in the output folder, hidden, and are deleted when the command has written its results.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jetssl.common.sealed import BrokenSealError, read_array, write_array
from resim.common.arrays import Floats

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The arrays of one question."""

    folder: Path
    question: tuple[str, ...]
    """everything that they depend on: another question never reads them"""

    def array(self, name: Sequence[str], compute: Callable[[], Floats]) -> Floats:
        """The array of a name from an earlier call, or computed and kept.

        Args:
            name: what tells the arrays of the question apart.
            compute: gives it.

        Raises:
            InputError: it cannot be written.
        """
        key = "\n".join((*self.question, *name))
        path = self.folder / f".{hashlib.sha256(key.encode()).hexdigest()[:32]}.partial"
        if path.is_file():
            try:
                return np.asarray(read_array(path), np.float64)
            except BrokenSealError:
                log.warning("%s: damaged; it is computed again", path)
        found = compute()
        write_array(path, found)
        return found

    def clear(self) -> None:
        """Delete what this and other interrupted calls have left."""
        for path in self.folder.glob(".*.partial"):
            path.unlink(missing_ok=True)
