"""Commands that judge encoders, and put the answers side by side."""

from pathlib import Path
from typing import Any

import click

from jetssl.cli.program import AS_JSON, QUIET, REPLACE, jetssl
from jetssl.config.evaluation import AnomalyCard, CompareCard, EvaluateCard, FineTuneCard, GeometryCard, ProbeCard
from jetssl.config.options import PATH, options_of, section_from
from resim.common import commandline


@jetssl.command()
@click.argument("run", type=PATH)
@click.option("-o", "--output", type=PATH, help="Folder of the records; default: RUN.")
@options_of(ProbeCard)
@AS_JSON
@QUIET
def probe(run: Path, output: Path | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Judge the frozen encoder of RUN with a linear classifier on the test split; writes results.json.

    Beside it: the same classifier on other inputs, by default a random encoder, and masses, multiplicity and pT.
    """
    from jetssl.evaluation.program import ProbeRequest, probe_run
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_table

    results = probe_run(ProbeRequest(run, section_from(ProbeCard, options), output), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_table(results)


@jetssl.command()
@click.argument("run", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the fits; those that it holds are kept.")
@options_of(FineTuneCard)
@AS_JSON
@QUIET
def finetune(run: Path, output: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train a head on the encoder of RUN, with or without the encoder, and judge it on the test split."""
    from jetssl.evaluation.finetune import FineTuning
    from jetssl.evaluation.finetune import finetune as run_fits
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_fine_tuning

    results = run_fits(FineTuning(run, output, section_from(FineTuneCard, options)), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_fine_tuning(results)


@jetssl.command()
@click.argument("runs", nargs=-1, required=True, type=PATH, metavar="RUN...")
@click.option("-o", "--output", type=PATH, required=True, help="Folder of records and histograms.")
@options_of(EvaluateCard)
@REPLACE
@AS_JSON
@QUIET
def evaluate(runs: tuple[Path, ...], output: Path, force: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Say how the score of each RUN changes between the root view and every other simulation of the same partons.

    RUN is a supervised or fine-tuned run; `FITS/full_all` stands for all of `FITS/full_all_0`, `FITS/full_all_1` ...
    """
    from jetssl.evaluation.evaluate import FILES, Evaluation
    from jetssl.evaluation.evaluate import evaluate as run_evaluation
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.robustness_tables import robustness_tables
    from jetssl.evaluation.table import print_blocks

    commandline.refuse_folder(output, FILES, force)
    results = run_evaluation(Evaluation(runs, output, section_from(EvaluateCard, options)), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_blocks(robustness_tables(results))


@jetssl.command()
@click.argument("run", type=PATH)
@click.argument("file", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of records, histograms and the map.")
@options_of(GeometryCard)
@REPLACE
@AS_JSON
@QUIET
def geometry(  # noqa: PLR0913, PLR0917
    run: Path, file: Path, output: Path, force: bool, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Say where the encoder of RUN puts the test jets of the pair FILE: are two views of a parton alike, and why?"""
    from jetssl.evaluation.geometry import FILES, Geometry
    from jetssl.evaluation.geometry import geometry as measure
    from jetssl.evaluation.latent_map import read_map
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.similarity_tables import similarity_tables
    from jetssl.evaluation.table import print_blocks

    commandline.refuse_folder(output, FILES, force)
    results = measure(Geometry(run, file, output, section_from(GeometryCard, options)), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_blocks(similarity_tables(results, read_map(output / FILES[3]).shares.tolist()))


@jetssl.command()
@click.argument("run", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the records.")
@options_of(AnomalyCard)
@REPLACE
@AS_JSON
@QUIET
def anomaly(run: Path, output: Path, force: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Say how far anomalous jets stand out among background, by scores that learn from background alone."""
    from jetssl.evaluation.anomaly import FILES, AnomalySearch, find_anomalies
    from jetssl.evaluation.anomaly_table import anomaly_tables
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_blocks

    commandline.refuse_folder(output, FILES, force)
    results = find_anomalies(AnomalySearch(run, output, section_from(AnomalyCard, options)), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_blocks(anomaly_tables(results))


@jetssl.command()
@click.argument("runs", nargs=-1, required=True, type=PATH, metavar="RUN...")
@click.option("-o", "--output", type=PATH, help="Page with the table, ROC and label-efficiency curves.")
@options_of(CompareCard)
@click.option("--force", is_flag=True, help="Replace an existing page.")
@click.option("--json", "as_json", is_flag=True, help="Print the records and their differences instead of a table.")
def compare(runs: tuple[Path, ...], output: Path | None, force: bool, as_json: bool, **options: Any) -> None:
    """Put the records of each RUN (probed, fine-tuned or evaluated) into one table, with paired differences."""
    if output is not None:
        commandline.refuse_existing(output, force)
    from jetssl.evaluation.compare import compare as read_runs
    from jetssl.evaluation.compare import named_records
    from jetssl.evaluation.compare_table import comparison_block
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_blocks
    from jetssl.report.comparison import write_comparison

    table = read_runs(runs, section_from(CompareCard, options))
    if output is not None:
        write_comparison(table, output)
    if as_json:
        click.echo(to_json(named_records(table)))
    else:
        print_blocks([comparison_block(table)])


@jetssl.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN_OR_FILE...")
@click.option("-o", "--output", type=PATH, required=True, help="The page to write.")
@click.option("--force", is_flag=True, help="Replace an existing page.")
def report(inputs: tuple[Path, ...], output: Path, force: bool) -> None:
    """Write one self-contained HTML page about runs, folders of `evaluate` and `geometry`, and pair files."""
    commandline.refuse_existing(output, force)
    from jetssl.report.page import write_report

    write_report(inputs, output)
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
