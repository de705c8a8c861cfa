"""Commands that train and judge what a card asks for."""

import shlex
from pathlib import Path
from typing import Any

import click

from jetssl.cli.program import AS_JSON, QUIET, REPLACE, jetssl
from jetssl.config.evaluation import CwolaCard
from jetssl.config.options import PATH, options_of, section_from
from resim.common import commandline


@jetssl.command()
@click.argument("run", type=PATH)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the records.")
@options_of(CwolaCard)
@REPLACE
@AS_JSON
@QUIET
def cwola(run: Path, output: Path, force: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Search for a resonance of two jets without labels, and say how much stronger its excess gets.

    Signal is injected into background, from none upwards, and a classifier tells jets of the signal region from those
    of the sidebands, on the vectors of RUN and on other inputs.
    """
    from jetssl.evaluation.table import print_blocks
    from jetssl.weak.scan import FILE, ResonanceScan, scan
    from jetssl.weak.scan_table import scan_table

    commandline.refuse_folder(output, (FILE,), force)
    found = scan(ResonanceScan(run, output, section_from(CwolaCard, options)), quiet=quiet)
    if as_json:
        click.echo(found.model_dump_json(indent=1))
    else:
        print_blocks([scan_table(found)])


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
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), help="Trainings at a time; default: one a core, one on a GPU."
)
@click.option("--json", "as_json", is_flag=True, help="Print the decided claims instead of tables.")
@QUIET
def study(card: Path, overrides: tuple[str, ...], output: Path, as_json: bool, **how: Any) -> None:
    """Make the table of a talk: samples, trainings and evaluations as CARD says, and which claims hold.

    Makes what is missing, each step once; OUTPUT/report.html and tables.md have the answers. Keys of the card can be
    overridden, as in `samples.jets={files: [pairs.h5]}`.
    """
    from jetssl.evaluation.compare_table import comparison_block
    from jetssl.evaluation.results import to_json
    from jetssl.evaluation.table import print_blocks
    from jetssl.report.study import claims_block, write_study
    from jetssl.study.program import StudyRequest, run_study

    command = shlex.join(["jetssl", "study", str(card), *overrides, "-o", str(output)])
    outcome = run_study(StudyRequest(card, output, overrides, command, how["jobs"]), quiet=how["quiet"])
    write_study(outcome, output)
    if as_json:
        click.echo(to_json(outcome.decisions))
    else:
        print_blocks([*map(comparison_block, outcome.tables.values()), claims_block(outcome.decisions)])
