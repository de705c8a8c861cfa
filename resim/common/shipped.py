"""The cards that come with the program: of a checkout its folder `cards`, of an installed package a copy of that."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from resim.common.errors import InputError


def shipped_root() -> Path:
    """The folder that holds `cards`: shipped cards name each other from there."""
    package = Path(__file__).parents[1]
    installed = package / "shipped"
    return installed if installed.is_dir() else package.parent


def shipped_cards() -> list[Path]:
    """Paths of all shipped cards and their input files below `shipped_root()`, sorted."""
    root = shipped_root()
    return sorted(path.relative_to(root) for path in (root / "cards").rglob("*") if path.is_file())


def describe(path: Path) -> str:
    """The first comment of a shipped card, or an empty string."""
    if path.suffix == ".gz":
        return ""
    first = (shipped_root() / path).read_text(encoding="utf-8").split("\n", 1)[0]
    return first.lstrip("#! ") if first.startswith(("#", "!")) else ""


def copy_cards(names: Sequence[str], output: Path, force: bool) -> list[Path]:
    """Copy shipped cards to a folder, where they lie as in the repository.

    Args:
        names: paths as `cards/generate/demo.yaml`, or folders as `cards/delphes`; none for all.
        output: the folder.
        force: whether existing files may be replaced.

    Returns:
        The copies.

    Raises:
        InputError: there is no such card, or a file exists already.
    """
    chosen = []
    for name in names or ("cards",):
        found = [path for path in shipped_cards() if path.is_relative_to(name)]
        if not found:
            raise InputError(f"{name}: no shipped card of that name; see `resim cards list`")
        chosen += found
    copies = {output / path: shipped_root() / path for path in dict.fromkeys(chosen)}
    if not force and (existing := [path for path in copies if path.exists()]):
        raise InputError(f"{existing[0]}: exists already; choose another folder, or --force to replace it")
    for copy, original in copies.items():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(original, copy)
    return list(copies)
