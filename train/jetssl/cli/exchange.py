"""Commands that take models from other programs, and hand vectors and encoders to others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args

import click

from jetssl.cli.program import jetssl
from jetssl.config.data import FeatureSet
from jetssl.config.encoders import Architecture
from jetssl.config.options import PATH
from resim.common import commandline


@jetssl.command(name="import")
@click.argument("file", type=PATH)
@click.option(
    "--from", "program", type=click.Choice(["weaver", "omnilearned"]), required=True, help="Program that wrote FILE."
)
@click.option("--architecture", type=click.Choice(get_args(Architecture)), help="weaver: the network.")
@click.option("--features", type=click.Choice(get_args(FeatureSet)), help="weaver: what it reads.")
@click.option(
    "--classes", help="Names of its outputs, as QCD,Hbb; default: the ten of JetClass, for omnilearned numbers."
)
@click.option(
    "--neighbours",
    type=click.IntRange(1),
    help="particlenet, omnilearned: what it was trained with; default: 16, for omnilearned 10.",
)
@click.option(
    "--pair-activation/--no-pair-activation",
    default=None,
    help="part: an activation on the bias of pairs, as in the networks of jet-universe; default: with it.",
)
@click.option(
    "--heads", type=click.IntRange(1), help="omnilearned without interactions: heads, if its size is none of three."
)
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the run.")
@click.option("--force", is_flag=True, help="Replace the run that the folder holds.")
def import_(output: Path, force: bool, program: Literal["weaver", "omnilearned"], file: Path, **options: Any) -> None:
    """Make a run of FILE, the weights of a network that another program trained, as every evaluation takes it."""
    from jetssl.exchange.omnilearned_import import OmniLearnedWeights, import_omnilearned
    from jetssl.exchange.weaver_import import WeaverWeights, import_weaver
    from jetssl.training.run_folder import RunFolder

    given = _given(program, options)
    run = RunFolder(output)
    provenance = (
        import_weaver(WeaverWeights(file, **given), run, force=force)
        if program == "weaver"
        else import_omnilearned(OmniLearnedWeights(file, **given), run, force=force)
    )
    numbers = ", ".join(f"{name} of {count:,} parameters" for name, count in provenance.parameters.items())
    click.echo(f"{output}: imported, {numbers}")


_OPTIONS: Final = {
    "weaver": ("architecture", "features", "classes", "neighbours", "pair_activation"),
    "omnilearned": ("classes", "neighbours", "heads"),
}
"""Of `import`, by the program that they are for."""


def _given(program: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, all of them of this program; classes as a tuple."""
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in _OPTIONS[program]:
            raise click.UsageError(f"--{name.replace('_', '-')} does not go with --from {program}")
    if missing := [name for name in ("architecture", "features") if program == "weaver" and name not in given]:
        raise click.UsageError(f"--from weaver needs --{missing[0]}")
    return given | {"classes": tuple(given["classes"].split(",")) if given.get("classes") else ()}


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
@click.option("--licence", help="Of the weights, as SPDX names it; BSD-3-Clause if none is told. Imports need one.")
@click.option("-o", "--output", type=PATH, required=True, help="Folder of the release, or file for weaver.")
@click.option("--force", is_flag=True, help="Replace what is there.")
def export(run: Path, kind: str, licence: str | None, output: Path, force: bool) -> None:
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
