"""What runs: versions of the packages, commit of the checkout, present time."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import resim

GENERATOR_PACKAGES = ("pythia8mc", "fastjet", "pyhepmc", "pylhe", "awkward", "numba", "numpy", "h5py")
"""Distributions whose version can change an array of the file."""


def versions() -> dict[str, str]:
    """Versions of resim, Python and of the packages that can change an array."""
    found = {"resim": resim.__version__, "python": platform.python_version()}
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
