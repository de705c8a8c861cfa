"""The map of both packages, docs/tree.md: a line for each folder and module, from their docstrings.

Run `python -m tests.helpers.tree` to write it anew.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

HEADER = """# Where things are

Each folder imports only from folders above it in its list (`tests/test_layers.py`). Made from the docstrings of the modules by
`python -m tests.helpers.tree`.
"""
ROOMS = {
    "resim": (
        "common",
        "card",
        "hard_scatter",
        "shower",
        "detector",
        "jets",
        "pairfile",
        "formats",
        "run",
        "plots",
        "cli",
    ),
    "train/jetssl": (
        "common",
        "config",
        "data",
        "models",
        "losses",
        "methods",
        "training",
        "evaluation",
        "exchange",
        "weak",
        "study",
        "report",
        "cli",
    ),
}
"""Rooms of the two packages, from the lowest to the highest layer."""


def first_line(path: Path) -> str:
    """First sentence of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def tree_page(repository: Path) -> str:
    """The page, Markdown."""
    return HEADER + "".join(_lines(repository))


def _lines(repository: Path) -> Iterator[str]:
    for package, rooms in ROOMS.items():
        root = repository / package
        yield f"\n## {package}\n\n{first_line(root / '__init__.py')}\n\n"
        for room in rooms:
            yield f"- **`{room}/`** {first_line(root / room / '__init__.py')}\n"
            for path in sorted((root / room).rglob("*.py")):
                if path.name != "__init__.py":
                    yield f"  - `{path.relative_to(root / room)}`: {first_line(path)}\n"
        for path in sorted(root.glob("*.py")):
            if not path.name.startswith("__"):
                yield f"- `{path.name}`: {first_line(path)}\n"


if __name__ == "__main__":
    repository = Path(__file__).parents[2]
    (repository / "docs/tree.md").write_text(tree_page(repository))
