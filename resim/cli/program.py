"""The group of commands."""

from pathlib import Path

import click

from resim.common import commandline

FILE = click.Path(path_type=Path)


@click.group("resim", cls=commandline.Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="resim-jets", prog_name="resim")
@click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong.")
def cli(debug: bool) -> None:
    """Freeze hard scatters, simulate what follows again, and store the outcomes as positive pairs."""
