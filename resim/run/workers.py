"""The server from which worker processes are forked. It imports nothing heavy, so it can be started first."""

from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from typing import Final

_PRELOADED: Final = ["resim.run.process_chunk", "fastjet._ext"]
"""Modules that the server imports once for all workers."""


def worker_context() -> ForkServerContext:
    """The context in which workers are made; its server runs and imports the modules."""
    context = get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    forkserver.ensure_running()
    return context
