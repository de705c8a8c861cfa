"""Commands that make hard scatters, pile-up and pair files, or a part of them again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import click

from resim.card.run_options import CHUNK_SIZE
from resim.cli.program import FILE, cli
from resim.common.commandline import refuse_existing
from resim.common.errors import InputError


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


@cli.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", type=FILE, required=True, help="Pair file to write.")
@click.option("--round", "rounded", is_flag=True, help="Constituents without the bits that no detector resolves.")
@click.option(
    "--compression",
    type=click.Choice(["gzip", "zstd"]),
    default="gzip",
    show_default=True,
    help="zstd is read 2.5 times as fast, and needs the package hdf5plugin wherever it is read.",
)
@click.option("--force", is_flag=True, help="Replace an existing output.")
def merge(
    files: tuple[Path, ...], output: Path, rounded: bool, compression: Literal["gzip", "zstd"], force: bool
) -> None:
    """Join the FILES of all shards of a run (`resim generate --shard I/K`) to the file of the whole run.

    One whole file is written anew, smaller or faster to read.
    """
    from resim.pairfile.merging import merge as join
    from resim.pairfile.writer import Storage

    refuse_existing(output, force)
    provenance = join(files, output, Storage(compression, rounded))
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
