"""Commands about the cards that ship, what they can name, and about the shell."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from resim.cli.program import FILE, cli

if TYPE_CHECKING:
    from resim.common.cards import CardModel


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print records instead of text.")
def generators(as_json: bool) -> None:
    """List the generators that a view can name, with their options; packages that are installed add theirs."""
    from resim.card.stages import GENERATORS, GeneratorSection

    ours = {"pythia8": "Pythia 8; the keys of `shower` are its options.", "herwig7": "Herwig 7; reads `shower.card`."}
    _list(GENERATORS, ours, GeneratorSection, "name", as_json)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print records instead of text.")
def readers(as_json: bool) -> None:
    """List the kinds of files that a mapping card can name; packages that are installed add theirs."""
    from resim.formats.mapping_card import KINDS, READERS, ContainerSection

    _list(READERS, {kind: f"{kind} files." for kind in KINDS}, ContainerSection, "kind", as_json)


def _list(group: str, ours: Mapping[str, str], base: type["CardModel"], key: str, as_json: bool) -> None:
    from resim.common.catalogue import Choice, catalogue, listing

    own = [Choice(name=name, package="resim-jets", doc=doc) for name, doc in ours.items()]
    choices = catalogue(group, own, base, key)
    click.echo(json.dumps([one.model_dump() for one in choices], indent=1) if as_json else listing(choices))


@cli.group()
def cards() -> None:
    """Cards that come with the program."""


@cards.command("list")
def list_cards() -> None:
    """List them, each with what it says of itself."""
    from resim.common.shipped import describe, shipped_cards

    for path in shipped_cards():
        click.echo(f"{path}\t{describe(path)}".rstrip())


@cards.command("copy")
@click.argument("names", nargs=-1)
@click.option("-o", "--output", type=FILE, default=Path(), help="Folder to copy to.  [default: here]")
@click.option("--force", is_flag=True, help="Replace existing files.")
def copy(names: tuple[str, ...], output: Path, force: bool) -> None:
    """Copy shipped cards, or folders of them (default: all), to a folder: start there, and change them."""
    from resim.common.shipped import copy_cards

    for path in copy_cards(names, output, force):
        click.echo(path)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.option("--program", type=click.Choice(["resim", "jetssl"]), default="resim", show_default=True)
def completion(shell: str, program: str) -> None:
    """Print what makes a SHELL complete commands and options: eval "$(resim completion bash)"."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - one of the choices
    click.echo(kind(cli, {}, program, f"_{program.upper()}_COMPLETE").source())
