"""Processes that make the jets of live views, for several batches at once."""

import queue
from typing import Final, cast

from jetssl.config.data import LiveCard
from jetssl.data.jet_table import JetTable
from jetssl.data.jets import Jets
from jetssl.data.live import Exposure, Observer, exposure
from jetssl.data.live_hadrons import Asked, Hadronizer, asked
from jetssl.data.processes import Helper, answer_requests
from jetssl.data.reading import Place
from resim.common.arrays import Integers


class LiveProcesses:
    """Processes with a detector, or a Pythia, each; may be asked by as many threads at once.

    Args:
        card: section `views.live` of a training card.
        radius: of the jets, R.
        place: where the rows are, for what is hadronized anew.

    Raises:
        InputError: as `Observer` and `Hadronizer`.
    """

    def __init__(self, card: LiveCard, radius: float, place: Place) -> None:
        self._card, self._setup = card, (card, radius, place)
        _maker(*self._setup)  # what is wrong is said here, before any process is started
        self.processes = card.processes
        self._idle: queue.SimpleQueue[Helper | None] = queue.SimpleQueue()
        for _ in range(card.processes):
            self._idle.put(None)

    def asked(
        self, table: JetTable, view: Integers, row: Integers, of_row: Integers, address: tuple[int, int, int]
    ) -> Exposure | Asked:
        """What the processes are asked for; arguments as of `exposure`."""
        if self._card.rehadronize:
            return asked(view, of_row, address)
        return exposure(table, view, row, of_row, address)

    def __call__(self, shown: Exposure | Asked) -> Jets:
        """The jets, of one of the processes, which is started when it is needed."""
        helper = self._idle.get()
        try:
            if helper is None:
                helper = Helper(__name__, self._setup, _TROUBLE)
            helper.request(shown)
            return cast(Jets, helper.receive())
        finally:
            self._idle.put(helper)

    def close(self) -> None:
        """End the processes; they start again when they are needed."""
        for _ in range(self.processes):
            helper = self._idle.get()
            if helper is not None:
                helper.close()
            self._idle.put(None)


_TROUBLE: Final = (
    "a process of views.live ended with status {status}; is memory short? lower data.batch_size or"
    " views.live.processes"
)


def _maker(card: LiveCard, radius: float, place: Place) -> Observer | Hadronizer:
    observer = Observer(card.detector, radius) if card.detector else None
    return Hadronizer(place, observer) if card.rehadronize or observer is None else observer


def serve() -> None:
    """The program of the processes of a `LiveProcesses`."""
    answer_requests(lambda setup: _maker(*setup))
