"""Rows of a pair file hadronized anew: what views would hold that share the parton shower of a stored one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from resim.card.view_plan import ViewPlan
from resim.common.arrays import Integers
from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import event_texts
from resim.hard_scatter.lhe_text import EventText
from resim.pairfile.reader import PairFile
from resim.pairfile.rounding import rounded_block
from resim.pairfile.row_block import RowBlock
from resim.run.chunks import Chunk, Plan
from resim.run.process_chunk import process
from resim.run.replay import stored_plan


@dataclass(frozen=True, slots=True)
class Remade:
    """Wanted rows of one source, and of the same events those that nobody asked for."""

    which: Integers
    """int64 `(R,)`, places of the rows among the wanted ones"""
    block: RowBlock
    """with the root, the view that has the parton shower, and the new views"""
    place: Integers
    """int64 `(R,)`, places of the rows in the block"""


class Rehadronizer:
    """Repeats the parton shower of rows with the seeds that they were made with, and hadronizes it with others.

    The events of its LHE files stay in memory from their first use on, about 1 kB each.

    Args:
        path: pair file; its LHE files must lie where they lay when it was made.

    Raises:
        InputError: an LHE file is missing, or another one; the file was imported, or its root view is not
            Pythia's.
    """

    def __init__(self, path: Path) -> None:
        with PairFile(path) as file:
            self._source, self._event = (file.hard_scatter(name).astype(np.int64) for name in ("source", "event"))
            sources = np.unique(self._source).tolist()
            self._plans = {source: _constituents_alone(stored_plan(file, source, None)) for source in sources}
            self._rounded = file.rounded
        self._path = path
        for plan in self._plans.values():
            _refuse_other_root(plan.views[0], path)
        self._among = _among_its_event(self._source, self._event)
        self._texts = cache(self._read)

    def require(self, views: Sequence[str]) -> None:
        """Refuse views that cannot be made, before any is asked for.

        Raises:
            InputError: Pythia does not make one of them.
        """
        for plan in self._plans.values():
            for view in views:
                _owner(plan.views, view, self._path)

    def rows(self, wanted: Integers, view: str, names: Sequence[str]) -> Iterator[Remade]:
        """Rows in new views of generated particles, source by source.

        Random numbers follow from the names: equal names, equal jets. Those of a rounded file are rounded, too.

        Args:
            wanted: int64 `(R,)`, rows of the file.
            view: the stored view whose parton showers are kept.
            names: of the new views.

        Raises:
            InputError: Pythia does not make the view, or an event gives other rows now.
        """
        for source in np.unique(self._source[wanted]).tolist():
            which = np.flatnonzero(self._source[wanted] == source)
            plan, texts = self._plans[source], self._texts(source)
            events = np.unique(self._event[wanted[which]]).tolist()
            views = _views(plan.views, view, names, self._path)
            chunk = Chunk(0, source, tuple(texts[event] for event in events))
            made = process(replace(plan, views=views), chunk).block
            block = rounded_block(made) if self._rounded else made
            yield Remade(which, block, self._places(wanted[which], block.arrays["hard_scatter/event"]))

    def _places(self, wanted: Integers, made: Integers) -> Integers:
        """Where the wanted rows are among those made, given the events of these, int64, ascending."""
        first, last = (np.searchsorted(made, self._event[wanted], side) for side in ("left", "right"))
        source = self._source[wanted[0]]
        events, counts = np.unique(self._event[self._source == source], return_counts=True)
        then = counts[np.searchsorted(events, self._event[wanted])]
        if (odd := np.flatnonzero(last - first != then)).size:
            row = wanted[odd[0]]
            raise InputError(f"{self._path}: row {row} cannot be made again; see `resim replay`")
        return np.asarray(first + self._among[wanted])

    def _read(self, source: int) -> dict[int, EventText]:
        origin, events = self._plans[source].sources[source], self._event[self._source == source]
        wanted = set(events.tolist())
        found = event_texts(origin.path, int(events.max()) + 1, origin.bad_events)
        return {text.index: text for text in found if text.index in wanted}


def _constituents_alone(plan: Plan) -> Plan:
    """The plan without secondary vertices and cells of jets."""
    jets = plan.card.jets.model_copy(update={"vertices": None, "cells": False})
    return replace(plan, card=plan.card.model_copy(update={"jets": jets}))


def _among_its_event(source: Integers, event: Integers) -> Integers:
    """Which row of its event each row is, int64 `(R,)`.

    >>> _among_its_event(np.zeros(4, int), np.array([3, 5, 3, 3])).tolist()
    [0, 0, 1, 2]
    """
    order = np.lexsort((event, source))
    new = np.diff(source[order], prepend=-1) | np.diff(event[order], prepend=-1)
    starts = np.flatnonzero(new)
    among = np.empty(len(event), np.int64)
    among[order] = np.arange(len(event)) - np.repeat(starts, np.diff(np.append(starts, len(event))))
    return among


def _views(views: Sequence[ViewPlan], name: str, new: Sequence[str], path: Path) -> tuple[ViewPlan, ...]:
    """The root, the view that has the parton shower of view `name`, and the new ones, all without detectors."""
    by_name, owner = {view.name: view for view in views}, _owner(views, name, path)
    kept = tuple(dict.fromkeys((views[0], owner)))
    made = (
        replace(by_name[name], name=one, parent=owner.name, freeze="parton_shower", particles_owner=one)
        for one in new
    )
    return tuple(replace(view, detector=None) for view in (*kept, *made))


def _refuse_other_root(root: ViewPlan, path: Path) -> None:
    """Labels and decays of taus are those of the root view, which other generators make for whole slices."""
    if root.generator.name != "pythia8":
        raise InputError(
            f"{path}: its root view {root.name!r} is of {root.generator.name}; only files whose root view is Pythia's"
            " can be hadronized anew: take one, or stored views"
        )


def _owner(views: Sequence[ViewPlan], name: str, path: Path) -> ViewPlan:
    """The view whose parton shower view `name` has."""
    by_name = {view.name: view for view in views}
    owner = by_name[by_name[name].shower_owner]
    if owner.generator.name != "pythia8":
        raise InputError(f"{path}: view {name!r} is of {owner.generator.name}, only Pythia 8 hadronizes anew")
    return owner
