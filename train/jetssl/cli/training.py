"""Commands that train, and that say what can be trained."""

import json
import sys
from pathlib import Path
from typing import Literal

import click

from jetssl.cli.program import jetssl
from jetssl.config.options import PATH
from resim.common import commandline


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
    from jetssl.config.catalogue import catalogue
    from resim.common.catalogue import listing

    choices = catalogue(kind)
    click.echo(json.dumps([one.model_dump() for one in choices], indent=1) if as_json else listing(choices))
