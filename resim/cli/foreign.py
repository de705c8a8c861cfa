"""What the commands that read files of others have in common: options that say what such a file is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from resim.cli.program import FILE

if TYPE_CHECKING:
    from resim.formats.mapping_card import MappingCard

JETS_LOOKED_AT: Final = 10_000
"""Of a file of others, by default; read in some seconds, and enough for distributions."""


def format_options(n_jets: int | str = "all") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options that say what a file is; `n_jets` of it are read by default, as the help says."""
    options = (
        click.option(
            "--format", "format_name", help="What files of others are: a mapping card that ships, in cards/import."
        ),
        click.option("--columns", type=FILE, help="Mapping card of your own: which columns mean what."),
        click.option("--label", help="Class of all jets, for files of one class.  [default: as the card says]"),
        click.option(
            "-n", "--n-events", type=click.IntRange(1), help=f"Jets to read of each such file.  [default: {n_jets}]"
        ),
    )

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def chosen_card(format_name: str | None, columns: Path | None, label: str | None) -> "MappingCard":
    """The mapping card that the options name.

    Raises:
        InputError: none, two or an unknown one is named, or the card or the label is wrong.
    """
    from resim.formats.mapping_card import mapping_card

    card = mapping_card(format_name, columns)
    return card if label is None else card.of_one_class(label)


@contextmanager
def as_pairs(  # noqa: PLR0913, PLR0917
    file: Path,
    n_jets: int | None,
    format_name: str | None,
    columns: Path | None,
    label: str | None,
    n_events: int | None,
) -> Iterator[Path]:
    """The file itself without `--format` and `--columns`; else what `resim import` makes of it, for this block.

    Args:
        file: a pair file, or one of others.
        n_jets: to read without `-n`; None: all.
        format_name: that of a card that ships, which says what the file is.
        columns: a card of the user's own.
        label: class of all jets.
        n_events: `-n`.

    Yields:
        The pair file.

    Raises:
        UsageError: options for files of others, and nothing that says what the file is.
    """
    if format_name is None and columns is None:
        if label is not None or n_events is not None:
            raise click.UsageError("--label and -n are for files of others; say what FILE is: --format or --columns.")
        yield file
        return
    from resim.formats.temporary_pairs import temporary_pairs

    with temporary_pairs(file, chosen_card(format_name, columns, label), n_events or n_jets) as pairs:
        yield pairs
