"""Pages of the site that are made from the code: a page for each room of the packages, the commands, the cards.

MkDocs is started as `python -m mkdocs` at the root of the repository, where the helpers of the tests are found.
"""

from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from resim.common.shipped import shipped_cards, shipped_root
from tests.helpers.tree import ROOMS, first_line

REPOSITORY = Path(__file__).parents[1]
COMMANDS = {"resim": "cli", "jetssl": "jetssl"}
"""Program and the name of its group of commands in its module `cli`."""
LANGUAGES = {".yaml": "yaml", ".tcl": "tcl"}
KEYS = (
    *("resim.card.generation_card", "resim.card.view_tree", "resim.card.stages", "resim.card.jet_settings"),
    "resim.hard_scatter.process_card",
    *("jetssl.config.card", "jetssl.config.data", "jetssl.config.encoders", "jetssl.config.objectives"),
    "jetssl.config.evaluation",
)
"""Modules that say which keys a card may have."""


def pages() -> Iterator[tuple[str, str]]:
    """Path of every page and its Markdown."""
    for package, rooms in ROOMS.items():
        name = Path(package).name
        for room in rooms:
            about = first_line(REPOSITORY / package / room / "__init__.py")
            yield f"reference/{name}/{room}.md", f"# {name}.{room}\n\n{about}\n\n::: {name}.{room}\n"
    for program, group in COMMANDS.items():
        block = f"::: mkdocs-click\n    :module: {program}.cli\n    :command: {group}\n    :prog_name: {program}\n"
        block += "    :depth: 1\n    :style: table\n"
        yield f"reference/{program}-command.md", f"# The command `{program}`\n\n{block}"
    yield "reference/cards.md", "".join(_cards())


def _cards() -> Iterator[str]:
    yield "# Cards\n\nWhat ships (`resim cards list`, `resim cards copy`).\n"
    folder = ""
    for path in shipped_cards():
        if path.suffix in (".gz", ".md"):
            continue
        if path.parts[1] != folder:
            folder = path.parts[1]
            yield f"\n## {folder}\n\n"
        text = (shipped_root() / path).read_text(encoding="utf-8")
        fence = f"```{LANGUAGES.get(path.suffix, 'text')}"
        body = "".join(f"    {line}\n" for line in (fence, *text.splitlines(), "```"))
        yield f'??? note "{path}"\n\n{body}\n'
    yield "\n## Keys\n\n"
    yield "".join(f"- [`{module}`][{module}]\n" for module in KEYS)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Called by MkDocs: the pages of the rooms follow at the end of the navigation."""
    for package, rooms in ROOMS.items():
        name = Path(package).name
        config.nav.append({f"Code of {name}": [{room: f"reference/{name}/{room}.md"} for room in rooms]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by MkDocs: adds the pages."""
    for path, text in pages():
        files.append(File.generated(config, path, content=text))
    return files
