"""The program `jetssl`: parse, load, call one function, report."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any, Literal, get_args

import click

from jetssl.config.data import FeatureSet
from jetssl.config.encoders import Architecture
from jetssl.config.evaluation import (
    AnomalyCard,
    CompareCard,
    CwolaCard,
    EvaluateCard,
    FineTuneCard,
    GeometryCard,
    ProbeCard,
)
from jetssl.config.options import PATH, options_of
from resim.common import commandline

_JSON = click.option("--json", "as_json", is_flag=True, help="Print the records instead of a table.")
_QUIET = click.option("--quiet", is_flag=True, help="No progress.")
_REPLACE = click.option("--force", is_flag=True, help="Replace an existing folder's records.")


@click.group(cls=commandline.Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="resim-jets", prog_name="jetssl")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def jetssl(debug: bool) -> None:
    """Learn jet representations from pair files, and measure what they are worth."""
    # `--debug` is read by resim.common.commandline, which sees the exceptions.


@jetssl.command(cls=commandline.TeamCommand)
@click.argument("card", type=PATH)
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("-o", "--output", type=PATH, help="Folder of the run; an unfinished one is resumed.")
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--print-config", is_flag=True, help="Print the card with every default filled in, and stop.")
def train(  # noqa: PLR0913, PLR0917
    card: Path, overrides: tuple[str, ...], output: Path | None, force: bool, quiet: bool, print_config: bool
) -> None:
    """Pre-train an encoder as CARD says, or go on where an interrupted training stopped.

    Keys of the card can be overridden, as in `training.epochs=5`.
    """
    from jetssl.config.card import load_card

    if print_config:
        click.echo(load_card(card, overrides).to_yaml(), nl=False)
        return
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output'.")
    from jetssl.common.devices import choose
    from jetssl.common.team import one_voice
    from jetssl.training.epoch_metrics import read_metrics
    from jetssl.training.run_folder import RunFolder, State

    with one_voice() as team:
        resolved = load_card(card, overrides)
        if (processes := len(choose(resolved.training.devices).numbers)) > 1 and team.size == 1:
            _in_processes(processes, card, overrides, output, force=force, quiet=quiet)
            return
        from jetssl.training.pretrain import pretrain  # brings Lightning, for which a wrong card need not wait

        outcome = pretrain(resolved, RunFolder(output), force=force, quiet=quiet)
    if outcome.state is State.RESUMABLE:
        if team.leads:
            how = "preempted (SIGUSR1)" if outcome.preempted else "interrupted"
            click.echo(f"jetssl: {how}; the same command resumes {output}", err=True)
        raise click.exceptions.Exit(commandline.PREEMPTED if outcome.preempted else commandline.INTERRUPTED)
    if not team.leads:
        return
    verb = "trained" if outcome.trained else "already trained"
    epochs = len(read_metrics(RunFolder(output).metrics))
    click.echo(f"{output}: {verb}, {epochs} epochs in {outcome.provenance.seconds:.0f} s")


def _in_processes(  # noqa: PLR0913
    processes: int, card: Path, overrides: tuple[str, ...], output: Path, *, force: bool, quiet: bool
) -> None:
    """The same training in several processes, of which the first writes and speaks."""
    from jetssl.training.launch import launch

    flags = [*(["--force"] if force else []), *(["--quiet"] if quiet else [])]
    debug = ["--debug"] if "--debug" in sys.argv[1:] else []
    if status := launch([*debug, "train", str(card), *overrides, "-o", str(output), *flags], processes):
        raise click.exceptions.Exit(status)


@jetssl.command(name="import")
@click.argument("file", type=PATH)
@click.option("--from", "program", type=click.Choice(["weaver"]), required=True, help="Program that wrote FILE.")
@click.option("--architecture", type=click.Choice(get_args(Architecture)), required=True, help="Network.")
@click.option("--features", type=click.Choice(get_args(FeatureSet)), required=True, help="What it reads.")
@click.option("--classes", default="", help="Names of its outputs, as QCD,Hbb; default: the ten of JetClass.")
@click.option("--neighbours", type=click.IntRange(1), default=16, show_default=True, help="Of particlenet.")
@click.option(
    "--pair-activation/--no-pair-activation",
    default=True,
    show_default=True,
    help="Of part: an activation on the bias of pairs, as in the networks of jet-universe.",
)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the run.")
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
def import_(output: Path, force: bool, program: str, classes: str, **options: Any) -> None:  # noqa: ARG001
    """Make a run of FILE, the weights of a network that another program trained, as every evaluation takes it."""
    from jetssl.exchange.weaver_import import WeaverWeights, import_weaver
    from jetssl.training.run_folder import RunFolder

    asked = WeaverWeights(classes=tuple(classes.split(",")) if classes else (), **options)
    provenance = import_weaver(asked, RunFolder(output), force=force)
    numbers = ", ".join(f"{name} of {count:,} parameters" for name, count in provenance.parameters.items())
    click.echo(f"{output}: imported, {numbers}")


@jetssl.command()
@click.argument("run", type=PATH)
@click.option("-o", "--output", type=PATH, help="Folder of the records; default: RUN.")
@options_of(ProbeCard)
@_JSON
@_QUIET
def probe(run: Path, output: Path | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Judge the frozen encoder of RUN with a linear classifier on the test split; writes results.json.

    Beside it: the same classifier on other inputs, by default a random encoder, and masses, multiplicity and pT.
    """
    from jetssl.evaluation.program import ProbeRequest, probe_run
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_table

    results = probe_run(ProbeRequest(run, ProbeCard(**options), output), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_table(results)


@jetssl.command()
@click.argument("run", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the fits; those that it holds are kept.")
@options_of(FineTuneCard)
@_JSON
@_QUIET
def finetune(run: Path, output: Path, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train a head on the encoder of RUN, with or without the encoder, and judge it on the test split."""
    from jetssl.evaluation.finetune import FineTuning
    from jetssl.evaluation.finetune import finetune as run_fits
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_fine_tuning

    results = run_fits(FineTuning(run, output, FineTuneCard(**options)), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_fine_tuning(results)


@jetssl.command()
@click.argument("runs", nargs=-1, required=True, type=PATH, metavar="RUN...")
@click.option("-o", "--output", type=PATH, required=True, help="Folder of records and histograms.")
@options_of(EvaluateCard)
@_REPLACE
@_JSON
@_QUIET
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
    results = run_evaluation(Evaluation(runs, output, EvaluateCard(**options)), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_blocks(robustness_tables(results))


@jetssl.command()
@click.argument("run", type=PATH)
@click.argument("file", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of records, histograms and the map.")
@options_of(GeometryCard)
@_REPLACE
@_JSON
@_QUIET
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
    results = measure(Geometry(run, file, output, GeometryCard(**options)), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_blocks(similarity_tables(results, read_map(output / FILES[3]).shares.tolist()))


@jetssl.command()
@click.argument("run", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the records.")
@options_of(AnomalyCard)
@_REPLACE
@_JSON
@_QUIET
def anomaly(run: Path, output: Path, force: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Say how far anomalous jets stand out among background, by scores that learn from background alone."""
    from jetssl.evaluation.anomaly import FILES, AnomalySearch, find_anomalies
    from jetssl.evaluation.anomaly_table import anomaly_tables
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_blocks

    commandline.refuse_folder(output, FILES, force)
    results = find_anomalies(AnomalySearch(run, output, AnomalyCard(**options)), quiet=quiet)
    if as_json:
        click.echo(to_json(results))
    else:
        print_blocks(anomaly_tables(results))


@jetssl.command()
@click.argument("run", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the records.")
@options_of(CwolaCard)
@_REPLACE
@_JSON
@_QUIET
def cwola(run: Path, output: Path, force: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Search for a resonance of two jets without labels, and say how much stronger its excess gets.

    Signal is injected into background, from none upwards, and a classifier tells jets of the signal region from those
    of the sidebands, on the vectors of RUN and on other inputs.
    """
    from jetssl.evaluation.table import print_blocks
    from jetssl.weak.scan import FILE, ResonanceScan, scan
    from jetssl.weak.scan_table import scan_table

    commandline.refuse_folder(output, (FILE,), force)
    found = scan(ResonanceScan(run, output, CwolaCard(**options)), quiet=quiet)
    if as_json:
        click.echo(found.model_dump_json(indent=1))
    else:
        print_blocks([scan_table(found)])


@jetssl.command()
@click.argument("run", type=PATH)
@click.argument("file", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="The HDF5 file to write.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option("--quiet", is_flag=True, help="No progress.")
def embed(run: Path, file: Path, output: Path, force: bool, quiet: bool) -> None:
    """Write the jet vectors of every view of the pair FILE, as the frozen encoder of RUN sees them."""
    commandline.refuse_existing(output, force)
    from jetssl.evaluation.embed import embed_file

    written = embed_file(run, file, output, quiet=quiet)
    click.echo(f"{output}: {written.jets} jets in {written.seconds:.1f} s, {written.width} numbers each")


@jetssl.command()
@click.argument("run", type=PATH)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["release", "safetensors", "weaver"]),
    default="release",
    show_default=True,
    help="safetensors: a release without the graph for ONNX Runtime; weaver: weights for weaver-core.",
)
@click.option("--licence", default="BSD-3-Clause", show_default=True, help="Of the weights, as SPDX names it.")
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the release, or file for weaver.")
@click.option("--force", is_flag=True, help="Replace what is there.")
def export(run: Path, kind: str, licence: str, output: Path, force: bool) -> None:
    """Write the encoder of RUN for others: weights, card, model card, and a graph for ONNX Runtime."""
    if kind == "weaver":
        _export_for_weaver(run, output, force)
        return
    from jetssl.exchange.release import FILES, release

    commandline.refuse_folder(output, FILES, force)
    released = release(run, output, onnx=kind == "release", licence=licence)
    click.echo(f"{output}: {released.parameters:,} parameters; {', '.join(file.name for file in released.files)}")


def _export_for_weaver(run: Path, output: Path, force: bool) -> None:
    """Encoder and head as weights for weaver-core, and what reads them."""
    commandline.refuse_existing(output, force)
    from jetssl.exchange.weaver_export import export_weaver

    written = export_weaver(run, output)
    arguments = ", ".join(f"{name}={value!r}" for name, value in written.arguments.items())
    click.echo(f"{output}: {written.network}({arguments})")
    click.echo(f"inputs: {', '.join(written.features)}\noutputs: {', '.join(written.classes)}")


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

    table = read_runs(runs, CompareCard(**options))
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


@jetssl.command()
@click.argument("card", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the study; an unfinished one is resumed.")
@click.option("--json", "as_json", is_flag=True, help="Print the records instead of the answers.")
@click.option("--quiet", is_flag=True, help="No progress.")
def wsl(card: Path, output: Path, as_json: bool, quiet: bool) -> None:
    """Learn across domains and from weak labels, as CARD asks; answers in words, with errors.

    Makes what is missing: pair file, pre-trainings, fine-tunings, students. OUTPUT/results.json has all records.
    """
    from jetssl.evaluation.results import to_json
    from jetssl.weak.answers import answers
    from jetssl.weak.program import study_weak_supervision

    results = study_weak_supervision(card, output, quiet=quiet)
    click.echo(to_json(results) if as_json else "\n".join(answers(results)))


@jetssl.command()
@click.argument("card", type=PATH)
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the study; an unfinished one is resumed.")
@click.option("--json", "as_json", is_flag=True, help="Print the decided claims instead of tables.")
@_QUIET
def study(card: Path, overrides: tuple[str, ...], output: Path, as_json: bool, quiet: bool) -> None:
    """Make the table of a talk: samples, trainings and evaluations as CARD says, and which claims hold.

    Makes what is missing, each step once; OUTPUT/report.html and tables.md have the answers. Keys of the card can be
    overridden, as in `samples.jets={files: [pairs.h5]}`.
    """
    from jetssl.evaluation.compare_table import comparison_block
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_blocks
    from jetssl.report.study import claims_block, write_study
    from jetssl.study.program import run_study

    command = shlex.join(["jetssl", "study", str(card), *overrides, "-o", str(output)])
    outcome = run_study(card, output, command, overrides, quiet=quiet)
    write_study(outcome, output)
    if as_json:
        click.echo(to_json(outcome.decisions))
    else:
        print_blocks([*map(comparison_block, outcome.tables.values()), claims_block(outcome.decisions)])


@jetssl.command()
@click.option("--json", "as_json", is_flag=True, help="Print records instead of text.")
def encoders(as_json: bool) -> None:
    """List the encoders that a card can name, with their options; packages that are installed add theirs."""
    _list("encoders", as_json)


@jetssl.command()
@click.option("--json", "as_json", is_flag=True, help="Print records instead of text.")
def objectives(as_json: bool) -> None:
    """List the objectives that a card can name, with their options; packages that are installed add theirs."""
    _list("objectives", as_json)


def _list(kind: Literal["encoders", "objectives"], as_json: bool) -> None:
    from jetssl.config.catalogue import catalogue, listing

    choices = catalogue(kind)
    click.echo(json.dumps([one.model_dump() for one in choices], indent=1) if as_json else listing(choices))


def main() -> None:
    """Entry point of the console script."""
    # Read when torch loads its thread pool. Threads that spin while they wait for each other halt a training as soon
    # as another program wants a core: 43-92 jets/s instead of 580 beside one busy process on 2 cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    commandline.run(jetssl)
