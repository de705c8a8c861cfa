"""Commands that take jets from other formats, and write ours in them."""

from pathlib import Path

import click

from resim.cli.foreign import chosen_card, format_options
from resim.cli.program import FILE, cli
from resim.common.commandline import refuse_existing


@cli.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@format_options()
@click.option("-o", "--output", type=FILE, required=True, help="Pair file to write.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("--quiet", is_flag=True, help="No progress report.")
def import_(  # noqa: PLR0913, PLR0917
    files: tuple[Path, ...],
    format_name: str | None,
    columns: Path | None,
    label: str | None,
    output: Path,
    n_events: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Read the jets in FILES of others (JetClass, RS3L, top tagging ...) and write them as a pair file."""
    from resim.formats.import_jets import import_jets

    card = chosen_card(format_name, columns, label)
    refuse_existing(output, force)
    provenance = import_jets(files, output, card, n_events, quiet=quiet)
    rows = sum(source.counts.rows for source in provenance.sources)
    click.echo(f"{output}: {rows} rows of {len(files)} files; views {', '.join(provenance.views)}")


@cli.command()
@click.argument("file", type=FILE)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["jetclass-root", "parquet", "rs3l-hdf5", "omnilearned", "hepmc3"]),
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
    """Write the jets of a pair FILE as JetClass, parquet, RS3L or OmniLearned has them; or whole events anew."""
    from resim.formats.export_jets import export_jets
    from resim.formats.layouts import ExportOptions

    if odd := [label for label in labels if "=" not in label]:
        raise click.UsageError(f"--label {odd[0]}: want LABEL=CLASS.")
    refuse_existing(output, force)
    if layout == "hepmc3":
        if labels or len(views) > 1:
            raise click.UsageError("hepmc3 holds the events of one view, without labels.")
        from resim.run.events_again import write_events

        click.echo(f"{output}: {write_events(file, output, views[0] if views else None, quiet=quiet)} events")
        return
    options = ExportOptions(views, dict(label.split("=", 1) for label in labels), quiet)
    n_jets = export_jets(file, output, layout, options)
    click.echo(f"{output}: {n_jets} jets")
