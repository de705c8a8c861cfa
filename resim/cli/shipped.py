"""Commands about the cards that ship, and about the shell."""

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from resim.cli.program import FILE, cli


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
