"""Rows: which partons of the hard scatters are followed through every view."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pylhe

from resim.card.generation_card import Selection
from resim.common.arrays import Integers
from resim.common.row_counts import SourceCounts
from resim.common.units import INVISIBLE_PDG_IDS
from resim.hard_scatter.event_weights import weights_of
from resim.hard_scatter.identity import identity_of
from resim.hard_scatter.lhe_reading import parse_event
from resim.hard_scatter.lhe_text import EventText
from resim.hard_scatter.partons import Label, Parton, find_partons, rejection


@dataclass(frozen=True, slots=True)
class HardScatter:
    """One LHE event with its place, its identity, and the partons of it that are candidates for rows.

    Attributes:
        sha256: hash of its file: its seeds come from this and its index, so that an event that comes twice is
            simulated with other random numbers.
        index: its place there.
        identity: hash of its particles.
        event: what is simulated.
        partons: the candidates.
        weights: name → weight, of those beside XWGTUP, if the rows want them.
    """

    sha256: str
    index: int
    identity: int
    event: pylhe.LHEEvent
    partons: tuple[Parton, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which partons become rows.

    Attributes:
        labels: |PDG id| → label.
        selection: cuts.
        unseen: absolute PDG ids of decay products that leave nothing visible.
        prepare: what is done to an event, given its index, before anything is chosen; None for nothing.
        weights: id → name of the weights beside XWGTUP that the file announces; None if none are kept.
    """

    labels: Mapping[int, Label]
    selection: Selection
    unseen: Collection[int] = INVISIBLE_PDG_IDS
    prepare: Callable[[pylhe.LHEEvent, int], pylhe.LHEEvent] | None = None
    weights: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Selected partons of a chunk.

    Attributes:
        scatters: their hard scatters.
        scatter_of_row: int64 `(n_rows,)`, position of each row's hard scatter.
        partons: the parton of each row.
        rivals: partons of the same kinds that are no rows; they compete for jets all the same.
        scatter_of_rival: int64 `(n_rivals,)`, position of each one's hard scatter.
        counts: what became of the partons of the chunk.
    """

    scatters: list[HardScatter]
    scatter_of_row: Integers
    partons: list[Parton]
    rivals: list[Parton]
    scatter_of_rival: Integers
    counts: SourceCounts

    @property
    def candidates(self) -> list[Parton]:
        """All that compete for jets: the partons of the rows, then their rivals."""
        return self.partons + self.rivals

    @property
    def scatter_of_candidate(self) -> Integers:
        """Position of each one's hard scatter."""
        return np.concatenate([self.scatter_of_row, self.scatter_of_rival])


def select_rows(events: Iterable[EventText], path: Path, sha256: str, wanted: Wanted) -> Rows:
    """Find the partons of LHE events and apply the card's selection.

    Args:
        events: the event blocks.
        path: the file that they come from, for error messages.
        sha256: its identity.
        wanted: which partons become rows.
    """
    scatters: list[HardScatter] = []
    rivals: list[Parton] = []
    scatter_of_rival: list[int] = []
    rejected: Counter[str] = Counter()
    n_events = 0
    for block in events:
        n_events, index = n_events + 1, block.index
        told = parse_event(block.text, path, index)
        event = wanted.prepare(told, index) if wanted.prepare else told
        found = find_partons(event, wanted.labels, wanted.unseen)
        reasons = [(parton, rejection(parton, wanted.selection)) for parton in found]
        rejected.update(reason for _, reason in reasons if reason)
        if passed := tuple(parton for parton, reason in reasons if reason is None):
            beside = [parton for parton, reason in reasons if reason is not None]
            rivals += beside
            scatter_of_rival += [len(scatters)] * len(beside)
            weights = weights_of(block.weights, wanted.weights) if wanted.weights is not None else {}
            identity = identity_of(told)  # of what the file says, not of decays that depend on the run's seed
            scatters.append(HardScatter(sha256, index, identity, event, passed, weights))
    partons = [parton for scatter in scatters for parton in scatter.partons]
    counts = SourceCounts(
        events=n_events,
        events_with_rows=len(scatters),
        partons=len(partons) + sum(rejected.values()),
        rejected=dict(rejected),
        rows=len(partons),
    )
    of_row = np.repeat(np.arange(len(scatters)), [len(scatter.partons) for scatter in scatters])
    return Rows(scatters, of_row, partons, rivals, np.array(scatter_of_rival, dtype=np.int64), counts)
