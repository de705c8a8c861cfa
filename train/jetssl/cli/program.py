"""The group of commands, and the options that several of them have."""

import click

from resim.common import commandline

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the records instead of a table.")
QUIET = click.option("--quiet", is_flag=True, help="No progress.")
REPLACE = click.option("--force", is_flag=True, help="Replace an existing folder's records.")


@click.group(cls=commandline.Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="resim-jets", prog_name="jetssl")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def jetssl(debug: bool) -> None:
    """Learn jet representations from pair files, and measure what they are worth."""
    # `--debug` is read by resim.common.commandline, which sees the exceptions.
