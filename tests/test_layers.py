"""Rooms import only from rooms below them."""

import ast
from pathlib import Path

import pytest

from tests.helpers.tree import ROOMS

REPOSITORY = Path(__file__).parents[1]
LAYERS = {
    "resim": ("common", "particles", *ROOMS["resim"][1:]),
    "train/jetssl": (*ROOMS["train/jetssl"], "__main__"),
}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("package", LAYERS)
def test_no_room_imports_from_one_above_it(package):
    root, layers = REPOSITORY / package, LAYERS[package]
    rooms = {path.name.removesuffix(".py") for path in root.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__init__", "__pycache__"} == set(layers)
    for path in root.rglob("*.py"):
        room = path.relative_to(root).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == root.name and len(parts) > 1 and parts[1] in layers:
                assert layers.index(parts[1]) <= layers.index(room), (str(path), name)
