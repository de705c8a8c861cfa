"""Schema and documentation agree."""

from itertools import chain

from resim.pairfile import schema
from tests.helpers.chain import REPOSITORY


def test_the_documentation_names_every_dataset():
    text = (REPOSITORY / "docs/format.md").read_text()
    groups = (schema.HARD_SCATTER, schema.SEEDS, schema.JETS, schema.CONSTITUENTS, schema.VERTICES, schema.WEIGHTS)
    groups += tuple(schema.CELL_GROUPS.values())
    for column in chain.from_iterable(groups):
        assert f"| `{column.name}` | `{column.dtype}` |" in text, column.name
    assert f"version {schema.SCHEMA_VERSION}" in text
