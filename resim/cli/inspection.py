"""Commands that look at pair files and detectors."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from resim.cli.foreign import JETS_LOOKED_AT, as_pairs, format_options
from resim.cli.program import FILE, cli
from resim.common.atomic_write import entries
from resim.common.commandline import refuse_existing
from resim.common.errors import InputError


@cli.command()
@click.argument("file", type=FILE)
@format_options(JETS_LOOKED_AT)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def inspect(file: Path, as_json: bool, **options: Any) -> None:
    """Show rows, views, losses and provenance of a pair FILE, or of jets of others (--format)."""
    from rich.console import Console

    from resim.pairfile.inspection import print_summary, summarize

    with as_pairs(file, JETS_LOOKED_AT, **options) as pairs:
        summary = replace(summarize(pairs), path=str(file))
    if as_json:
        click.echo(json.dumps(summary.as_json(), indent=2))
    else:
        print_summary(summary, Console())


@cli.command()
@click.argument("file", type=FILE)
@format_options()
def validate(file: Path, **options: Any) -> None:
    """Check a pair FILE against the schema and its provenance; one line per violation.

    With --format, check jets of others against the mapping card, as `resim import` does.
    """
    from resim.pairfile.validation import violations

    with as_pairs(file, None, **options) as pairs:
        found = violations(pairs)
    for line in found:
        click.echo(f"{file}: {line}")
    if found:
        raise InputError(f"{file}: {len(found)} violation{'s' if len(found) > 1 else ''}; generate the file again")
    click.echo(f"{file}: valid")


@cli.command()
@click.argument("file", type=FILE)
def digest(file: Path) -> None:
    """Print a hash over the arrays of a pair FILE, not over dates and settings."""
    from resim.pairfile.digest import digest as compute

    click.echo(compute(file))


@cli.command()
@click.argument("file", type=FILE)
@click.option("--row", type=int, default=0, show_default=True, help="Row to draw.")
@click.option("-o", "--output", type=FILE, required=True, help="Picture to write (.png, .pdf, .svg).")
@click.option("--generated", is_flag=True, help="Next to a detector's candidates, the generated particles.")
@click.option("--lhe", type=FILE, help="With --generated: where the row's LHE file is now.  [default: where it was]")
@click.option("--cells", is_flag=True, help="The calorimeter's cells, layer by layer, and not the constituents.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
def show(file: Path, row: int, output: Path, cells: bool, force: bool, **options: Any) -> None:
    """Draw all views of one row of a pair FILE side by side."""
    from resim.plots import show_cells, show_row

    if cells and options["generated"]:
        raise click.UsageError("--cells and --generated: cells belong to no particle; give one of the two.")
    refuse_existing(output, force)
    click.echo(show_cells(file, row, output) if cells else show_row(file, row, output, **options))


@cli.command()
@click.argument("file", type=FILE, required=False)
@format_options(JETS_LOOKED_AT)
@click.option("--detector", "card", metavar="CARD", type=FILE, help="Plot what a detector card does to particles.")
@click.option("-o", "--output", type=FILE, required=True, help="Folder for the pictures.")
@click.option("--force", is_flag=True, help="Replace existing pictures.")
def plot(file: Path | None, card: Path | None, output: Path, force: bool, **options: Any) -> None:
    """Plot jet observables of a pair FILE per class and view, with ratios to the root view.

    With --format, of jets of others.
    With --detector, plot efficiency, resolution and response of a detector instead, or as well.
    """
    if file is None and card is None:
        raise click.UsageError("Missing argument 'FILE'; give a pair file, or --detector CARD, or both.")
    if file is None and any(options.values()):
        raise click.UsageError("Missing argument 'FILE', of which --format, --columns, --label or -n speak.")
    from resim.card.calorimeter_card import is_calorimeter_card
    from resim.plots import plot_calorimeter, plot_detector, plot_pairs

    if entries(output) and not force:
        raise InputError(f"{output}: the folder is not empty; choose another output, or --force to add the pictures")
    draw = plot_calorimeter if card and is_calorimeter_card(card) else plot_detector
    pictures: list[Path] = []
    if file:
        with as_pairs(file, JETS_LOOKED_AT, **options) as pairs:
            pictures += plot_pairs(pairs, output)
    for path in (*pictures, *(draw(card, output) if card else ())):
        click.echo(path)
