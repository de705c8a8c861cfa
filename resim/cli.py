"""The command `resim`: parse, call one function, report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from resim.card.run_options import CHUNK_SIZE
from resim.common import commandline
from resim.common.atomic_write import entries
from resim.common.commandline import refuse_existing
from resim.common.errors import InputError

FILE = click.Path(path_type=Path)


@click.group("resim", cls=commandline.Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="resim-jets", prog_name="resim")
@click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
def cli(debug: bool) -> None:
    """Freeze hard scatters, simulate what follows again, and store the outcomes as positive pairs."""


@cli.command()
@click.argument("card", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="Pair file to write.")
@click.option("-n", "--n-events", type=int, help="Events to read per source.  [default: all]")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the run.")
@click.option("-j", "--workers", type=int, default=1, show_default=True, help="Worker processes.")
@click.option(
    "--chunk-size", type=int, default=CHUNK_SIZE, show_default=True, help="Events a worker takes at a time."
)
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers do the work.")
@click.option("--shard", metavar="I/K", default="1/1", help="Make the I-th of K shards, for `resim merge`.")
@click.option("--ignore-matching", is_flag=True, help="Shower samples of MLM, FxFx ... although no view does that.")
@click.option("--skip-bad-events", is_flag=True, help="Count broken LHE events and go on, instead of stopping.")
@click.option("--resume", is_flag=True, help="Go on with an unfinished run; leave a finished one as it is.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="No progress report.")
def generate(card: Path, output: Path, shard: str, **options: Any) -> None:
    """Simulate the views of a generation CARD and write a pair file."""
    from resim.card.run_options import RunOptions, Shard

    parsed = RunOptions(shard=Shard.parse(shard), **options)
    if parsed.workers > 1:
        from resim.run.workers import worker_context

        worker_context()  # its imports go on while this process does its own
    from resim.hard_scatter.weights import EventWeights
    from resim.run.generate import generate as run

    provenance = run(card, output, parsed)
    rows = sum(source.counts.rows for source in provenance.sources)
    valid = ", ".join(f"{name} {counts.valid}" for name, counts in provenance.views.items())
    click.echo(f"{output}: {rows} rows; valid in {valid}")
    for source in provenance.sources:
        click.echo(f"{source.lhe}: {EventWeights.model_validate(source.weights)}")


@cli.command("hard-scatter")
@click.argument("card", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="LHE file to write (.lhe, .lhe.gz).")
@click.option("-n", "--n-events", type=int, help="Events to make.  [default: the card's]")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the file.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="No progress report.")
def hard_scatter(card: Path, output: Path, **options: Any) -> None:
    """Make the hard scatters of a process CARD, with Pythia or MadGraph, and write an LHE file."""
    from resim.hard_scatter.make_lhe import HardScatterOptions, make_hard_scatters

    found = make_hard_scatters(card, output, HardScatterOptions(**options))
    click.echo(f"{output}: {found.n_events} events of {found.generator}")


@cli.command()
@click.option("-n", "--n-events", type=int, required=True, help="Minimum-bias events to make.")
@click.option("-o", "--output", type=FILE, required=True, help="Pool to write (HDF5).")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the pool.")
@click.option("--e-cm", type=float, default=13000.0, show_default=True, help="Energy of the pp collisions, GeV.")
@click.option("--card", type=FILE, help="Pythia settings, as in cards/pythia.  [default: Pythia's Monash tune]")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="No progress report.")
def pileup(output: Path, **options: Any) -> None:
    """Make a pool of minimum-bias events for the pile-up of detector views."""
    from resim.detector.minimum_bias import PoolOptions, make_pool

    make_pool(output, PoolOptions(**options))
    click.echo(f"{output}: {options['n_events']} minimum-bias events")


@cli.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--format", "format_name", help="What the FILES are: a mapping card that ships, in cards/import.")
@click.option("--columns", type=FILE, help="Mapping card of your own: which columns mean what.")
@click.option("-o", "--output", type=FILE, required=True, help="Pair file to write.")
@click.option("-n", "--n-events", type=click.IntRange(1), help="Jets to read of each file.  [default: all]")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="No progress report.")
def import_(  # noqa: PLR0913, PLR0917
    files: tuple[Path, ...],
    format_name: str | None,
    columns: Path | None,
    output: Path,
    n_events: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Read the jets in FILES of others (JetClass, RS3L, top tagging ...) and write them as a pair file."""
    from resim.formats.import_jets import import_jets
    from resim.formats.mapping_card import mapping_card

    refuse_existing(output, force)
    provenance = import_jets(files, output, mapping_card(format_name, columns), n_events, quiet=quiet)
    rows = sum(source.counts.rows for source in provenance.sources)
    click.echo(f"{output}: {rows} rows of {len(files)} files; views {', '.join(provenance.views)}")


@cli.command()
@click.argument("file", type=FILE)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["jetclass-root", "parquet", "rs3l-hdf5", "omnilearned"]),
    required=True,
    help="Layout to write.",
)
@click.option("-o", "--output", type=FILE, required=True, help="File to write.")
@click.option("--view", "views", multiple=True, help="View to write.  [default: the root view; rs3l-hdf5: all]")
@click.option("--label", "labels", multiple=True, metavar="LABEL=CLASS", help="Class that a label is there.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="No progress report.")
def export(  # noqa: PLR0913, PLR0917
    file: Path, layout: str, output: Path, views: tuple[str, ...], labels: tuple[str, ...], force: bool, quiet: bool
) -> None:
    """Write the jets of a pair FILE as JetClass, parquet, RS3L or OmniLearned has them."""
    from resim.formats.export_jets import export_jets
    from resim.formats.layouts import ExportOptions

    if odd := [label for label in labels if "=" not in label]:
        raise click.UsageError(f"--label {odd[0]}: want LABEL=CLASS.")
    refuse_existing(output, force)
    options = ExportOptions(views, dict(label.split("=", 1) for label in labels), quiet)
    n_jets = export_jets(file, output, layout, options)
    click.echo(f"{output}: {n_jets} jets")


@cli.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, required=True, help="Pair file to write.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
def merge(files: tuple[Path, ...], output: Path, force: bool) -> None:
    """Join the FILES of all shards of a run (`resim generate --shard I/K`) to the file of the whole run."""
    from resim.pairfile.merging import merge as join

    refuse_existing(output, force)
    provenance = join(files, output)
    click.echo(f"{output}: {sum(source.counts.rows for source in provenance.sources)} rows of {len(files)} shards")


@cli.command()
@click.argument("file", type=FILE)
@click.option("--row", type=int, default=0, show_default=True, help="Row to make again.")
@click.option("--lhe", type=FILE, help="Where the row's LHE file is now.  [default: where it was]")
def replay(file: Path, row: int, lhe: Path | None) -> None:
    """Make one row of a pair FILE again from its provenance, and compare it bit by bit."""
    from resim.run.replay import replay as make_again

    found = make_again(file, row, lhe)
    if found.differing:
        because = _changes(found.changed_versions)
        raise InputError(f"{file}: row {row} comes out different in {', '.join(found.differing[:5])}{because}")
    click.echo(f"{file}: row {row}, event {found.event} of {found.lhe}: identical in every view")


@cli.command()
@click.argument("file", type=FILE)
def provenance(file: Path) -> None:
    """Print a generation card that makes a pair FILE again, with the commands, files and versions as comments."""
    from resim.pairfile.recipe import recipe

    click.echo(recipe(file), nl=False)


@cli.command()
@click.argument("file", type=FILE)
@click.option("-o", "--output", type=FILE, required=True, help="Pair file to write.")
@click.option("--sources", type=FILE, multiple=True, help="Folder to look in for input files, by their hash.")
@click.option("-j", "--workers", type=int, default=1, show_default=True, help="Worker processes.")
@click.option("--resume", is_flag=True, help="Go on with an unfinished run.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="No progress report.")
def reproduce(file: Path, output: Path, sources: tuple[Path, ...], **options: Any) -> None:
    """Make a pair FILE again from what it says about itself, and compare the digests."""
    from resim.card.run_options import RunOptions
    from resim.run.reproduce import reproduce as make_again

    found = make_again(file, output, sources, RunOptions(**options))
    if found.now != found.before:
        because = _changes(found.changed_versions)
        raise InputError(f"{output}: digest {found.now[:12]}..., {file} has {found.before[:12]}...{because}")
    click.echo(f"{output}: digest {found.now}, as {file}")


def _changes(versions: Mapping[str, tuple[str, str]]) -> str:
    changed = [f"{name} {then} -> {now}" for name, (then, now) in versions.items()]
    return f"; changed since: {', '.join(changed)}" if changed else ""


@cli.command()
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def inspect(file: Path, as_json: bool) -> None:
    """Show rows, views, losses and provenance of a pair FILE."""
    from rich.console import Console

    from resim.pairfile.inspection import print_summary, summarize

    summary = summarize(file)
    if as_json:
        click.echo(json.dumps(summary.as_json(), indent=2))
    else:
        print_summary(summary, Console())


@cli.command()
@click.argument("file", type=FILE)
def validate(file: Path) -> None:
    """Check a pair FILE against the schema and its provenance; one line per violation."""
    from resim.pairfile.validation import violations

    found = violations(file)
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
@click.option("--force", is_flag=True, help="Replace an existing output.")
def show(file: Path, row: int, output: Path, force: bool, **options: Any) -> None:
    """Draw all views of one row of a pair FILE side by side."""
    from resim.plots import show_row

    refuse_existing(output, force)
    click.echo(show_row(file, row, output, **options))


@cli.command()
@click.argument("file", type=FILE, required=False)
@click.option("--detector", "card", metavar="CARD", type=FILE, help="Plot what a detector card does to particles.")
@click.option("-o", "--output", type=FILE, required=True, help="Folder for the pictures.")
@click.option("--force", is_flag=True, help="Replace existing pictures.")
def plot(file: Path | None, card: Path | None, output: Path, force: bool) -> None:
    """Plot jet observables of a pair FILE per class and view, with ratios to the root view.

    With --detector, plot efficiency, resolution and response of a detector instead, or as well.
    """
    if file is None and card is None:
        raise click.UsageError("Missing argument 'FILE'; give a pair file, or --detector CARD, or both.")
    from resim.card.calorimeter_card import is_calorimeter_card
    from resim.plots import plot_calorimeter, plot_detector, plot_pairs

    if entries(output) and not force:
        raise InputError(f"{output}: the folder is not empty; choose another output, or --force to add the pictures")
    draw = plot_calorimeter if card and is_calorimeter_card(card) else plot_detector
    for path in (*(plot_pairs(file, output) if file else ()), *(draw(card, output) if card else ())):
        click.echo(path)


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


def main() -> None:
    """Entry point of the console script."""
    commandline.run(cli)
