"""The command `resim`: parse, call one function, report."""

from resim.cli import exchange, inspection, making, shipped
from resim.cli.program import cli
from resim.common import commandline

__all__ = ["cli", "exchange", "inspection", "main", "making", "shipped"]


def main() -> None:
    """Entry point of the console script."""
    commandline.run(cli)
