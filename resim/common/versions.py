"""What runs: versions of the packages, commit of the checkout, present time."""

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DISTRIBUTION = "resim-jets"
GENERATOR_PACKAGES = ("pythia8mc", "fastjet", "pyhepmc", "pylhe", "awkward", "numba", "numpy", "h5py")
"""Distributions whose version can change an array of the file."""


def resim_version() -> str:
    """Version of the installed distribution, from git's tags (`hatch-vcs`); "0+unknown" where none is installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "0+unknown"


def resim_release() -> str:
    """`resim_version()` as it is part of a run's identity: between two releases "0.2.1.dev", whatever the commit.

    So a run goes on, its shards can be joined and its workers agree after a commit that changes no array.
    """
    return re.sub(r"\.dev\d+.*", ".dev", resim_version())


def identifying_versions() -> dict[str, str]:
    """`versions()` as they are part of the identity of a run or of a file that others are made from."""
    return versions() | {"resim": resim_release()}


def versions() -> dict[str, str]:
    """Versions of resim, Python and of the packages that can change an array."""
    found = {"resim": resim_version(), "python": platform.python_version()}
    for package in GENERATOR_PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_state() -> tuple[str | None, bool | None]:
    """Commit of the checkout that holds this package and whether it is modified; (None, None) outside one.

    An image was built from a checkout: it says so in `RESIM_COMMIT`, which ends in `-dirty` if that was modified.
    """
    if built_from := os.environ.get("RESIM_COMMIT"):
        return built_from.removesuffix("-dirty"), built_from.endswith("-dirty")
    package = Path(__file__).resolve().parents[1]

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != package.parent:
            return None, None
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return None, None


def utc_now() -> str:
    """Present time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
