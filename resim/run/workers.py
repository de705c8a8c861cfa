"""The server that worker processes are forked from. Light to import, so that it can be started before all else."""

from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from typing import Final

_PRELOADED: Final = ["resim.run.process_chunk", "fastjet._ext"]
"""What workers share with the server, so that each of them starts at once."""


def worker_context() -> ForkServerContext:
    """The context that workers are made in; its server is up and importing."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    forkserver.ensure_running()
    return context
