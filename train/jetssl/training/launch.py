"""One process for each device of this machine, by torch's own launcher, as `torchrun --standalone` does it."""

import logging
import sys
import uuid
from collections.abc import Sequence

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from resim.common.commandline import INTERRUPTED


def launch(words: Sequence[str], processes: int) -> int:
    """Run `jetssl WORDS` in several processes that form a team; returns the status of the first that failed, or 0."""
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # the processes say it themselves
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
    )
    try:
        elastic_launch(config, sys.executable)("-m", "jetssl", *words)
    except ChildFailedError as error:
        return int(error.get_first_failure()[1].exitcode)
    except (SignalException, KeyboardInterrupt):
        return INTERRUPTED
    return 0
