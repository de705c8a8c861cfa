"""Batches of positive pairs, each made from its own address (seed, stream, epoch, batch, shard).

Letters: B rows of a batch.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import torch

from jetssl.common.seeds import Stream, generator
from jetssl.config.data import ViewsCard
from jetssl.config.objectives import AnomaliesCard, HidingCard
from jetssl.data.anomalies import anomalize
from jetssl.data.augmentations import augment
from jetssl.data.jets import Jets, concatenate, gather_jets
from jetssl.data.masking import HIDDEN, hide
from jetssl.data.reading import WindowReader
from jetssl.data.rows import Rows
from jetssl.data.sampling import Window
from jetssl.data.tensors import PairBatch, hidden_batch, to_tensors
from jetssl.data.views import Choices
from resim.common.arrays import Integers

if TYPE_CHECKING:
    from jetssl.data.live_processes import LiveProcesses

T = TypeVar("T")
DEPTH: Final = 2
"""Results that wait: one would make the maker idle whenever its result is just taken."""


@dataclass(frozen=True, slots=True)
class Look:
    """How rows become input: which views, what is done to them, which features."""

    choices: Choices
    """from `views.choices`"""
    jets_per_row: int
    """2 for pairs, 1 for an objective that looks at one jet at a time"""
    views: ViewsCard
    features: str
    hide: HidingCard | None = None
    """how constituents are hidden; None: none are"""
    anomalies: AnomaliesCard | None = None
    """how anomalous versions are made; None: there are none"""
    partner: Integers | None = None
    """int64 `(R,)`, the row of the second jet of each row; None: the same one"""
    live: "LiveProcesses | None" = None
    """what makes the jets of the views anew; None: they are shown as they are stored"""

    @property
    def versions(self) -> int:
        """Jets that are made of a row: views, and an anomalous one."""
        return self.jets_per_row + (self.anomalies is not None)


@dataclass(frozen=True, slots=True)
class ShardPass:
    """What one pass takes from a shard."""

    number: int
    windows: Sequence[Window]
    reader: WindowReader


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The rows of a shard in a batch, before anything is done to their jets."""

    rows: Integers
    jets: Callable[[], Jets]
    """gives all first views, then all second ones; a detector takes its time for that"""
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class Share:
    """The rows of every batch that one process takes: the same number for all."""

    rank: int = 0
    processes: int = 1


class PairBatches:
    """The batches of one pass over rows; iterating twice gives the same batches twice, unless told to skip some.

    Args:
        rows: all rows of the files.
        shards: what is taken from each shard of this process; their rows stand one after the other in a batch.
        look: how rows become input.
        address: (seed, stream, epoch); the random numbers of batch i of shard s are drawn at (i, s) behind it, so
            no batch depends on which were made before, or by whom.
        share: the rows of every batch that are kept. Everyone draws for the whole batch, which costs little.

    Attributes:
        waited: seconds for which the consumer of the batches has waited for them.
        skip: batches that are left out; windows of rows that only these are made of are not read.
    """

    def __init__(
        self,
        rows: Rows,
        shards: Sequence[ShardPass],
        look: Look,
        address: tuple[int, Stream, int],
        share: Share = Share(),
    ) -> None:
        self.rows, self.shards, self.look, self.address, self.share = rows, shards, look, address, share
        self.waited, self.skip = 0.0, 0
        self._weighted = rows.weighted

    def __len__(self) -> int:
        """Number of batches, with those that are left out."""
        return sum(len(window.batches) for window in self.shards[0].windows)

    def __iter__(self) -> Iterator[PairBatch]:
        """One batch after the other, made ahead of their use."""
        if self.skip < len(self):
            for shard in self.shards:
                if len(shard.windows) > 1:
                    shard.reader.announce(shard.windows[_find(shard.windows, self.skip)[0]].rows)
        batches = self._made_ahead()
        while True:
            started = time.monotonic()
            batch = next(batches, None)
            self.waited += time.monotonic() - started
            if batch is None:
                return
            yield batch

    def _made_ahead(self) -> Iterator[PairBatch]:
        """The batches that are not left out; those of live views side by side, one a process."""
        count = len(self) - self.skip
        if self.look.live is None:
            yield from ahead(lambda index: self.batch(self.skip + index), count)
            return
        n_threads = self.look.live.processes
        with ThreadPoolExecutor(n_threads) as threads:

            def begin(index: int) -> "Future[PairBatch]":
                return threads.submit(self._finished, self._drawn(self.skip + index))

            for batch in ahead(begin, count, DEPTH + n_threads):
                yield batch.result()

    def batch(self, index: int) -> PairBatch:
        """Batch `index`: views and augmentations drawn independently for each of its jets."""
        return self._finished(self._drawn(index))

    def _drawn(self, index: int) -> list[_Drawn]:
        """Batch `index`, shard by shard; one batch after the other, as they share what is read."""
        return [self._draw(shard, index) for shard in self.shards]

    def _finished(self, parts: Sequence[_Drawn]) -> PairBatch:
        """A batch of what was drawn; many threads may do so at once."""
        drawn = [self._changed(part) for part in parts]
        rows, jets = np.concatenate([rows for rows, _ in drawn]), concatenate([jets for _, jets in drawn])
        views, versions = self.look.jets_per_row, self.look.versions
        if len(drawn) > 1:
            place = np.arange(versions * len(rows)).reshape(len(drawn), versions, -1)
            jets = jets.take(place.swapaxes(0, 1).ravel())
        if self.share.processes > 1:
            mine = np.array_split(np.arange(len(rows)), self.share.processes)[self.share.rank]
            jets = jets.take(np.concatenate([mine + version * len(rows) for version in range(versions)]))
            rows = rows[mine]
        anomalous = None
        if self.look.anomalies is not None:
            jets, anomalous = (
                jets.take(part) for part in np.split(np.arange(versions * len(rows)), [views * len(rows)])
            )
        tensors = to_tensors(jets, self.look.features)
        return PairBatch(
            tensors,
            torch.from_numpy(rows),
            torch.from_numpy(self.rows.class_index[rows].astype(np.int64)),
            torch.from_numpy(np.stack([jets.jet_pt, jets.jet_eta], axis=1)),
            torch.from_numpy(np.abs(self.rows.weight[rows]).astype(np.float32)) if self._weighted else None,
            None if self.look.hide is None else hidden_batch(tensors, jets.other[HIDDEN], views),
            None if anomalous is None else to_tensors(anomalous, self.look.features),
        )

    def _draw(self, shard: ShardPass, index: int) -> _Drawn:
        """Rows of a shard in batch `index`, and the views in which they are shown."""
        window, rows = _find(shard.windows, index)
        table = shard.reader.read(shard.windows[window].rows)
        for coming in shard.windows[window + 1 : window + 2]:
            shard.reader.announce(coming.rows)
        seed, stream, epoch = self.address
        rng = generator(seed, stream, epoch, index, shard.number)
        drawn = self.look.choices.draw(self.rows.valid[:, rows], rng)[: self.look.jets_per_row]
        shown = np.tile(rows, self.look.jets_per_row)
        if self.look.partner is not None:
            shown[len(rows) :] = self.look.partner[rows]
        view, place = drawn.reshape(-1), np.searchsorted(shard.windows[window].rows, shown)
        if self.look.live is not None:
            wanted = self.look.live.asked(table, view, place, rows, self.address)
            return _Drawn(rows, partial(self.look.live, wanted), rng)
        jets = gather_jets(table, view, place)
        return _Drawn(rows, lambda: jets, rng)

    def _changed(self, drawn: _Drawn) -> tuple[Integers, Jets]:
        """Rows of a shard, and their jets: all first views, all second ones, all anomalous ones."""
        rows, jets, rng = drawn.rows, drawn.jets(), drawn.rng
        if self.look.views.source != "resim":
            jets = augment(jets, self.look.views.augmentations, rng)
        if self.look.hide is not None:
            jets = replace(jets, other={**jets.other, HIDDEN: hide(jets, self.look.hide, rng)})
        if self.look.anomalies is not None:
            first = jets.take(np.arange(len(rows)))
            jets = concatenate([jets, anomalize(first, self.look.anomalies, rng)])
        return rows, jets


class TrainingBatches(PairBatches):
    """Those of an epoch; checkpoints of Lightning say how many were taken, and a resumed epoch goes on there."""

    taken = 0

    def __iter__(self) -> Iterator[PairBatch]:
        """One batch after the other."""
        self.taken = self.skip
        for batch in super().__iter__():
            self.taken += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """How many batches have been taken."""
        return {"taken": self.taken}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Leave out those that had been taken."""
        self.skip = state["taken"]


def _find(windows: Sequence[Window], index: int) -> tuple[int, Integers]:
    """The window of a batch, and its rows."""
    for number, window in enumerate(windows):
        if index < len(window.batches):
            return number, window.batches[index]
        index -= len(window.batches)
    raise IndexError(index)


def ahead(make: Callable[[int], T], count: int, depth: int = DEPTH) -> Iterator[T]:
    """`make(0), ..., make(count - 1)`, one after the other in a thread, at most `depth` ahead of use.

    Whatever `make` raises is raised where its result would be taken.

    >>> list(ahead(lambda i: i * i, 4))
    [0, 1, 4, 9]
    """
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(make, i) for i in range(min(depth, count)))
        for i in range(depth, count + depth):
            result = waiting.popleft().result()
            if i < count:
                waiting.append(thread.submit(make, i))
            yield result
