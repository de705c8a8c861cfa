"""Schema and documentation agree."""

from resim.pairfile import schema
from tests.helpers.chain import REPOSITORY


def test_the_documentation_names_every_dataset():
    text = (REPOSITORY / "docs/format.md").read_text()
    for column in (*schema.HARD_SCATTER, *schema.SEEDS, *schema.JETS, *schema.CONSTITUENTS, *schema.VERTICES):
        assert f"| `{column.name}` | `{column.dtype}` |" in text, column.name
    assert f"version {schema.SCHEMA_VERSION}" in text
