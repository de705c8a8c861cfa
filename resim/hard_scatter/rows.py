"""Rows: which partons of the hard scatters are followed through every view."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from resim.card.generation_card import Selection
from resim.common.ragged import Integers
from resim.hard_scatter.lhe_reading import parse_event
from resim.hard_scatter.partons import Label, Parton, find_partons, rejection
from resim.pairfile.provenance import ROOT_NOT_GENERATED, SourceCounts
from resim.pairfile.writer import Arrays
from resim.shower.simulate_views import HardScatter, Realization, label_of

TAU_DECAY = "tau_decay"
"""The card has no label for the decay of the tau."""


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


def select_rows(
    events: Iterable[tuple[int, str]], path: Path, sha256: str, labels: Mapping[int, Label], selection: Selection
) -> Rows:
    """Find the partons of LHE events and apply the card's selection.

    Args:
        events: index and text of the event blocks.
        path: the file that they come from, for error messages.
        sha256: its identity.
        labels: |PDG id| → label.
        selection: cuts on the frozen parton.
    """
    scatters: list[HardScatter] = []
    rivals: list[Parton] = []
    scatter_of_rival: list[int] = []
    rejected: Counter[str] = Counter()
    n_events = 0
    for index, text in events:
        n_events += 1
        event = parse_event(text, path, index)
        reasons = [(parton, rejection(parton, selection)) for parton in find_partons(event, labels)]
        rejected.update(reason for _, reason in reasons if reason)
        if passed := tuple(parton for parton, reason in reasons if reason is None):
            beside = [parton for parton, reason in reasons if reason is not None]
            rivals += beside
            scatter_of_rival += [len(scatters)] * len(beside)
            scatters.append(HardScatter(sha256, index, event, passed))
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


def with_labels(rows: Rows, root: Realization) -> Rows:
    """The rows with labels that depend on the root view's decays filled in, and without those that get none."""
    kept, partons, refused = [], [], Counter[str]()
    rivals, scatter_of_rival = list(rows.rivals), rows.scatter_of_rival.tolist()
    for i, (scatter, parton) in enumerate(zip(rows.scatter_of_row, rows.partons, strict=True)):
        label = label_of(parton, root.taus[scatter])
        if label is None:
            refused[TAU_DECAY if root.made[scatter] else ROOT_NOT_GENERATED] += 1
            rivals.append(parton)
            scatter_of_rival.append(int(scatter))
        else:
            kept.append(i)
            partons.append(replace(parton, label=label))
    of_row = rows.scatter_of_row[np.array(kept, dtype=np.int64)]
    changes = {
        "rejected": dict(Counter(rows.counts.rejected) + refused),
        "rows": len(partons),
        "events_with_rows": len(np.unique(of_row)),
    }
    counts = rows.counts.model_copy(update=changes)
    return Rows(rows.scatters, of_row, partons, rivals, np.array(scatter_of_rival, dtype=np.int64), counts)


def hard_scatter_columns(rows: Rows, source: int, number_of_label: Mapping[str, int]) -> Arrays:
    """The columns of `hard_scatter/` of labelled rows, each `(n_rows,)`."""
    events = [rows.scatters[i] for i in rows.scatter_of_row]

    def of_parton(value: Callable[[Parton], float]) -> list[float]:
        return [value(parton) for parton in rows.partons]

    columns = {
        "event": [scatter.index for scatter in events],
        "source": [source] * len(events),
        "label": [number_of_label[str(parton.label)] for parton in rows.partons],
        "weight": [scatter.event.eventinfo.weight for scatter in events],
        "parton_pdg_id": of_parton(lambda parton: parton.pdg_id),
        "parton_pt": of_parton(lambda parton: parton.pt),
        "parton_eta": of_parton(lambda parton: parton.eta),
        "parton_phi": of_parton(lambda parton: parton.phi),
        "parton_mass": of_parton(lambda parton: parton.mass),
    }
    return {f"hard_scatter/{name}": np.array(values) for name, values in columns.items()}
