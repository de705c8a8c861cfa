"""What made a run: pair files, counts, versions, commit, times."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict

from jetssl.data.rows import FileRecord
from resim.common.versions import git_state, resim_version, utc_now

PACKAGES = ("torch", "lightning", "numpy", "scikit-learn", "h5py")
"""Distributions whose version can change a number of the run."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataFile(_Record):
    """One pair file that was read."""

    path: str
    digest: str
    """SHA-256 over all arrays, as `resim digest` prints it"""
    rows: int
    labels: dict[str, int]
    views: tuple[str, ...]
    version: int = 2
    """of its schema"""


class SplitCounts(_Record):
    """Rows of each side of the split."""

    train: int
    validation: int
    test: int


class ImportRecord(_Record):
    """The file of another program that a run was made of instead of a training."""

    program: str
    """`weaver` …"""
    path: str
    sha256: str


class RunProvenance(_Record):
    """Everything needed to say how a run came about, and to make it again."""

    files: tuple[DataFile, ...]
    views: tuple[str, ...]
    """views that pairs are drawn from"""
    rows: SplitCounts
    pair_rows: SplitCounts
    """rows with the valid views that the objective needs: only these train"""
    parameters: dict[str, int]
    """trainable parameters of encoder, projector and so on"""
    seed: int
    versions: dict[str, str]
    commit: str | None
    dirty: bool | None
    started: str
    """UTC, ISO 8601"""
    finished: str | None = None
    """UTC, ISO 8601; None while the training is not done"""
    seconds: float = 0.0
    """s, wall time of the training, over all resumptions"""
    resumed: int = 0
    """how often it was resumed"""

    processes: int = 1
    """how many shared every batch"""
    imported: ImportRecord | None = None
    """None if it was trained here"""
    detector: str = ""
    """SHA-256 of the Delphes card of live views, and of what it sources; empty without"""

    @property
    def digests(self) -> list[str]:
        """Digests of the files."""
        return [file.digest for file in self.files]


def start_record(  # noqa: PLR0913
    *,
    packages: Mapping[str, str] = MappingProxyType({}),
    files: Sequence[FileRecord],
    views: tuple[str, ...],
    rows: SplitCounts,
    pair_rows: SplitCounts,
    parameters: dict[str, int],
    seed: int,
    processes: int,
) -> RunProvenance:
    """Provenance of a training that begins now; `packages` are versions of those beside `PACKAGES`."""
    commit, dirty = git_state()
    return RunProvenance(
        files=tuple(DataFile(**asdict(file)) for file in files),
        views=views,
        rows=rows,
        pair_rows=pair_rows,
        parameters=parameters,
        seed=seed,
        processes=processes,
        versions=versions() | dict(packages),
        commit=commit,
        dirty=dirty,
        started=utc_now(),
    )


def versions() -> dict[str, str]:
    """Versions of resim, Python and of the packages that can change a number."""
    found = {"resim": resim_version(), "python": platform.python_version()}
    return found | {package: version(package) for package in PACKAGES}


def record_of_import(
    imported: ImportRecord, parameters: dict[str, int], packages: Mapping[str, str] = MappingProxyType({})
) -> RunProvenance:
    """Provenance of a run that was never trained here: no files, no rows; `packages` as in `start_record`."""
    none = SplitCounts(train=0, validation=0, test=0)
    record = start_record(
        packages=packages,
        files=(),
        views=(),
        rows=none,
        pair_rows=none,
        parameters=parameters,
        seed=0,
        processes=1,
    )
    return record.model_copy(update={"finished": record.started, "imported": imported})
