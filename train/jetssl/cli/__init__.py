"""The program `jetssl`: parse, load, call one function, report."""

import os

from jetssl.cli import evaluation, exchange, studies, training
from jetssl.cli.program import jetssl
from resim.common import commandline

__all__ = ["evaluation", "exchange", "jetssl", "main", "studies", "training"]


def main() -> None:
    """Entry point of the console script."""
    # Read when torch loads its thread pool. Threads that spin while they wait for each other halt a training as soon
    # as another program wants a core: 43-92 jets/s instead of 580 beside one busy process on 2 cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    commandline.run(jetssl)
