"""Finished chunks of a run on disk: they survive a crash, and a resumed run starts from them."""

import fcntl
import json
import shutil
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from pydantic import TypeAdapter

from resim.block import Block
from resim.errors import InputError
from resim.pipeline import ChunkResult
from resim.provenance import SourceCounts, ViewCounts

_ABOUT = "about"
_VIEW_COUNTS = TypeAdapter(dict[str, ViewCounts])


class Parts:
    """The folder `OUTPUT.parts`, locked while it is open; a context manager.

    Args:
        output: the file that the parts will become.
        key: digest of all that determines the rows; parts of another key are never used.
        resume: use the parts of an earlier run of the same key.
        force: drop the parts of an earlier run.
    """

    def __init__(self, output: Path, key: str, resume: bool, force: bool) -> None:
        self.folder = output.with_name(output.name + ".parts")
        self._output, self._key = output, key
        self._resume, self._force = resume, force

    def __enter__(self) -> Self:
        """Lock the folder and check what it holds.

        Raises:
            InputError: parts exist and neither option is given, they belong to another run, or another process is
                at work on the output.
        """
        existed = self.folder.is_dir()
        self.folder.mkdir(exist_ok=True)
        self._lock = self._acquire()
        try:
            if existed and self._force:
                self._clear()
            elif existed:
                self._check()
        except InputError:
            self._lock.close()
            raise
        (self.folder / "run.json").write_text(json.dumps({"key": self._key}), encoding="utf-8")
        return self

    def _acquire(self) -> IO[str]:
        lock = (self.folder / "lock").open("a", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise InputError(
                f"{self._output}: another process is writing it; wait, or choose another output"
            ) from error
        return lock

    def _check(self) -> None:
        try:
            found = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))["key"]
        except (OSError, ValueError, KeyError):
            found = None if self._numbers() else self._key
        if found != self._key:
            raise InputError(
                f"{self.folder}: holds chunks of another card, seed, number of events, chunk size or version;"
                " --force to drop them, or choose another output"
            )
        if not self._resume and self._numbers():
            raise InputError(f"{self.folder}: an unfinished run; --resume to go on with it, --force to start anew")

    def _numbers(self) -> list[int]:
        return sorted(int(path.stem) for path in self.folder.glob("*.npz"))

    def _clear(self) -> None:
        for path in self.folder.glob("*.npz"):
            path.unlink()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}.npz"

    def __contains__(self, number: int) -> bool:
        """Whether the chunk is finished."""
        return self._path(number).exists()

    def save(self, number: int, result: ChunkResult) -> None:
        """Keep a finished chunk; it appears under its name only when it is complete."""
        about = {
            "source": result.source,
            "seconds": result.seconds,
            "views": result.block.views,
            "source_counts": result.source_counts.model_dump(),
            "view_counts": {name: counts.model_dump() for name, counts in result.view_counts.items()},
        }
        arrays: dict[str, Any] = {_ABOUT: np.array(json.dumps(about)), **result.block.arrays}
        temporary = self._path(number).with_suffix(".tmp")
        with temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        temporary.replace(self._path(number))

    def load(self, number: int) -> ChunkResult:
        """A finished chunk."""
        with np.load(self._path(number)) as stored:
            about = json.loads(str(stored[_ABOUT]))
            block = Block(tuple(about["views"]), {name: stored[name] for name in stored.files if name != _ABOUT})
        source_counts = SourceCounts.model_validate(about["source_counts"])
        view_counts = _VIEW_COUNTS.validate_python(about["view_counts"])
        return ChunkResult(about["source"], about["seconds"], block, source_counts, view_counts)

    def remove(self) -> None:
        """Delete the folder: the output holds everything."""
        shutil.rmtree(self.folder)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release the lock; a folder without a finished chunk is removed."""
        if self.folder.is_dir() and not self._numbers():
            self.remove()
        self._lock.close()
