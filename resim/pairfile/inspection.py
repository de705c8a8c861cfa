"""What a pair file holds, in a few numbers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console, Group
from rich.table import Table

from resim.card.view_plan import ViewRecord
from resim.common.row_counts import LossReason
from resim.hard_scatter.weights import EventWeights
from resim.pairfile.provenance import Provenance
from resim.pairfile.reader import PairFile


@dataclass(frozen=True, slots=True)
class ViewSummary:
    """One view: its place in the tree, rows with a jet, rows lost by reason, constituents and vertices of a jet.

    The last two are means over the jets; None without any, and for vertices in a file that has none.
    """

    name: str
    parent: str | None
    freeze: str | None
    valid: int
    lost: dict[str, int]
    mean_constituents: float | None
    mean_vertices: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A pair file in numbers.

    Attributes:
        rows: rows by label.
        paired_rows: rows by label with at least two valid views.
        views: one summary per view.
        weights: names of the weights of events that are kept beside XWGTUP.
        rounded: whether constituents lack the bits that no detector resolves.
        provenance: how the file was made.
    """

    path: str
    rows: dict[str, int]
    paired_rows: dict[str, int]
    views: list[ViewSummary]
    weights: list[str]
    rounded: bool
    provenance: Provenance

    def as_json(self) -> dict[str, Any]:
        """The same as plain JSON types."""
        provenance = self.provenance.model_dump(mode="json")
        views = [asdict(view) for view in self.views]
        rows = {"rows": self.rows, "paired_rows": self.paired_rows}
        of_file = {"weights": self.weights, "rounded": self.rounded, "provenance": provenance}
        return {"path": self.path, **rows, "views": views, **of_file}


def summarize(path: Path) -> Summary:
    """Count rows, pairs and losses of a pair file."""
    with PairFile(path) as file:
        labels = file.label_names()
        n_valid = np.sum([file.valid(view) for view in file.view_names], axis=0)
        counts = file.provenance.views
        views = [_view_summary(file, view, counts[view.name].lost) for view in file.views]
        rows = {label: int((labels == label).sum()) for label in file.labels}
        paired = {label: int(((labels == label) & (n_valid >= 2)).sum()) for label in file.labels}
        weights = list(file.weight_names or ())
        return Summary(str(path), rows, paired, views, weights, file.rounded, file.provenance)


def _view_summary(file: PairFile, view: ViewRecord, lost: dict[str, int]) -> ViewSummary:
    valid = file.valid(view.name)

    def mean(numbers: npt.NDArray[np.integer[Any]]) -> float | None:
        return float(numbers[valid].mean()) if valid.any() else None

    vertices = mean(np.diff(file.vertex_offsets(view.name))) if file.has_vertices else None
    constituents = mean(file.jets(view.name, "n_constituents"))
    return ViewSummary(view.name, view.parent, view.freeze, int(valid.sum()), lost, constituents, vertices)


def print_summary(summary: Summary, console: Console) -> None:
    """Show a summary as tables."""
    of_file = _provenance_table(summary.provenance)
    if names := summary.weights:
        of_file.add_row("weights", f"{len(names)} beside XWGTUP: {', '.join(names[:3])}{' ...' * (len(names) > 3)}")
    if summary.rounded:
        of_file.add_row("constituents", "rounded below the resolution of a detector (docs/format.md, Size)")
    tables = (_rows_table(summary), _views_table(summary), of_file)
    console.print(Group(*tables, *_reasons(summary)))


def _rows_table(summary: Summary) -> Table:
    title = f"{Path(summary.path).name}: {sum(summary.rows.values())} rows"
    table = Table("label", "rows", "with two valid views", title=title)
    for label, n_rows in summary.rows.items():
        table.add_row(label, str(n_rows), str(summary.paired_rows[label]))
    return table


def _views_table(summary: Summary) -> Table:
    table = Table(title="views")
    for name in ("view", "from", "freeze"):
        table.add_column(name, no_wrap=True)
    for name in ("valid", "of all", "lost", "constituents", "vertices"):
        table.add_column(name)
    n_rows = sum(summary.rows.values())
    for view in summary.views:
        fraction = f"{view.valid / n_rows:.3f}" if n_rows else "-"
        lost = ", ".join(f"{reason} {number}" for reason, number in view.lost.items()) or "-"
        means = ["-" if mean is None else f"{mean:.1f}" for mean in (view.mean_constituents, view.mean_vertices)]
        table.add_row(view.name, view.parent or "-", view.freeze or "-", str(view.valid), fraction, lost, *means)
    return table


def _provenance_table(provenance: Provenance) -> Table:
    table = Table("what", "value", title="provenance", show_header=False)
    for source in provenance.sources:
        counts = source.counts
        rejected = "".join(f", {number} fail {cut}" for cut, number in counts.rejected.items())
        rejected += "".join(f", {number} events {reason}" for reason, number in source.bad_events.items())
        table.add_row(
            source.lhe,
            f"{counts.events} of {source.events_in_file} events, {counts.partons} partons{rejected}",
        )
        table.add_row("", f"{source.generator or 'unnamed generator'}, sha256 {source.sha256[:16]}…")
        table.add_row("", f"beams: {' and '.join(f'{i} at {e:g} GeV' for i, e in source.beams) or 'not recorded'}")
        if source.weights:
            table.add_row("", str(EventWeights.model_validate(source.weights)))
        if source.repeats:
            table.add_row("", f"{source.repeats} events equal earlier ones, of this file or of one above")
        if source.matching:
            table.add_row("", f"made for {source.matching}, which was ignored")
    table.add_row("seed", str(provenance.seed))
    table.add_row("detector", provenance.detector)
    table.add_row("versions", ", ".join(f"{name} {number}" for name, number in provenance.versions.items()))
    commit = (
        f"{provenance.commit[:12]}{' (modified)' if provenance.dirty else ''}" if provenance.commit else "unknown"
    )
    table.add_row("commit", commit)
    table.add_row("made", f"{provenance.created}, {provenance.seconds:.0f} s of worker time")
    return table


def _reasons(summary: Summary) -> list[str]:
    """What the reasons mean for which rows were lost, and which of them took many."""
    names = {name for view in summary.views for name in view.lost}
    names |= {name for source in summary.provenance.sources for name in source.counts.rejected}
    warnings = [sentence for source in summary.provenance.sources for sentence in source.vanished()]
    return [f"{reason}: {reason.doc}" for reason in LossReason if reason in names] + warnings
