"""Frozen jet vectors of any rows and view, streamed in batches.

Letters: B jets, D model width.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
import torch

from jetssl.common.devices import evaluated, moved
from jetssl.common.threads import torch_threads
from jetssl.data.jet_table import JetTable
from jetssl.data.jets import Jets, gather_jets
from jetssl.data.tensors import to_tensors
from jetssl.models.encoder import Encoder
from resim.common.arrays import Floats32, Integers

BATCH_SIZE = 128
"""Jets encoded at once: the activations of more leave the cache."""


def embed(  # noqa: PLR0913
    encoder: Encoder,
    table: JetTable,
    view: Integers,
    row: Integers,
    features: str,
    *,
    change: Callable[[Jets], Jets] | None = None,
) -> Floats32:
    """Jet vectors without gradients or augmentation, from batches of jets of similar length.

    As many batches at a time as torch has threads, one thread each: nothing waits at the end of every operation, and
    the vectors do not depend on the number of threads.

    Args:
        encoder: put into evaluation mode, and onto a GPU if there is one, for the call.
        table: where the jets are.
        view: index of the view of each jet, `(B,)`; valid for its row.
        row: its row, `(B,)`.
        features: name of the feature set that the encoder was trained with.
        change: what happens to a batch of jets before they are encoded; None for nothing.

    Returns:
        float32 `(B, D)`.
    """
    vectors = np.empty((len(row), encoder.width), np.float32)

    @torch.inference_mode()
    def encode(index: Integers, device: torch.device) -> None:
        jets = gather_jets(table, view[index], row[index])
        batch = to_tensors(jets if change is None else change(jets), features)
        vectors[index] = encoder(*moved(batch, device)).jet.cpu().numpy()

    order = np.argsort(table.counts[view, row], kind="stable")
    batches = [order[start : start + BATCH_SIZE] for start in range(0, len(row), BATCH_SIZE)]
    pool = ThreadPoolExecutor(torch.get_num_threads(), initializer=torch.set_num_threads, initargs=(1,))
    with evaluated(encoder) as device, torch_threads(1), pool:
        deque(pool.map(encode, batches, repeat(device)), maxlen=0)
    return vectors
