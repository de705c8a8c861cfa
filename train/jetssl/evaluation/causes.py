"""Properties of jets by view and class: what a score that changes between views may have seen.

Letters: T test jets, V views, M replicas.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from jetssl.data.jets import gather_jets
from jetssl.data.table import PairTable
from jetssl.evaluation.bootstrap import Sample, bootstrap, spread
from jetssl.evaluation.results import Distribution, ErrorParts, Origin, Result
from jetssl.evaluation.robustness import CommonJets
from resim.common.arrays import Floats, Integers

COLUMNS: Final = ("charge", "d0")
"""Optional columns of constituents that are read."""
DISPLACED: Final = 0.1
"""mm; a charged particle with a larger |d0| comes from a heavy hadron or a strange one."""
SHOWN: Final = 0.995
"""Quantile at which a distribution ends."""
BINS: Final = 25


def mass(table: PairTable, view: int, rows: Integers) -> Floats:
    """GeV, `(T,)`."""
    return np.asarray(table.jets.mass[view, rows], np.float64)


def n_constituents(table: PairTable, view: int, rows: Integers) -> Floats:
    """`(T,)`."""
    return np.asarray(table.jets.n_constituents[view, rows], np.float64)


def n_displaced(table: PairTable, view: int, rows: Integers) -> Floats:
    """Number of charged particles with |d0| above `DISPLACED`, `(T,)`."""
    jets = gather_jets(table, np.full(len(rows), view), rows)
    displaced = (jets.other["charge"] != 0) & (np.abs(jets.other["d0"]) > DISPLACED)
    return np.asarray(np.add.reduceat(displaced, jets.starts, dtype=np.int64), np.float64)


QUANTITIES: Final[dict[str, Callable[[PairTable, int, Integers], Floats]]] = {
    "mass": mass,
    "n_constituents": n_constituents,
    "n_displaced": n_displaced,
}
"""By the name in `distributions.json`."""
MEANS: Final = ("mean_mass", "mean_n_constituents", "displaced_fraction")
"""Metrics: means of the first two, and the share of jets with a displaced charged particle."""


def causes(table: PairTable, jets: CommonJets, origin: Origin) -> tuple[list[Result], list[Distribution]]:
    """Means by view and class with the paired shifts against the nominal view, and the distributions.

    Args:
        table: the pair files, with `COLUMNS`.
        jets: the test jets.
        origin: seed of the replicas, and the command line.
    """
    views = [table.rows.views.index(view) for view in jets.views]
    values = {
        name: np.stack([quantity(table, view, jets.task.test) for view in views])
        for name, quantity in QUANTITIES.items()
    }
    shapes = [shape for name in values for shape in _distributions(name, values[name], jets)]
    averaged = np.stack([values["mass"], values["n_constituents"], values["n_displaced"] > 0])
    return list(_means(averaged, jets, origin)), shapes


def _distributions(name: str, values: Floats, jets: CommonJets) -> Iterator[Distribution]:
    """Histograms with common edges of values `(V, T)`; the last bin holds what lies beyond it, too."""
    edges = _edges(values, whole=name != "mass")
    inside = np.minimum(values, np.nextafter(edges[-1], 0))
    for index, view in enumerate(jets.views):
        for jet_class, members in jets.members.items():
            counts = np.histogram(inside[index, members], edges, weights=jets.weights[members])[0]
            yield Distribution(
                run=None, quantity=name, view=view, jet_class=jet_class, edges=edges.tolist(), counts=counts.tolist()
            )


def _edges(values: Floats, whole: bool) -> Floats:
    """Bins of equal width from 0, of a whole number of steps where the values are whole numbers."""
    top = float(np.quantile(values, SHOWN))
    if not whole:
        return np.linspace(0, max(top, 1.0), BINS + 1)
    width = max(1, round(top / BINS))
    return np.arange(0, top + 2 * width, width) - 0.5


def _means(values: Floats, jets: CommonJets, origin: Origin) -> Iterator[Result]:
    """Records of values `(len(MEANS), V, T)`."""
    members = jets.members

    def figures(drawn: Integers) -> Floats:
        weights = drawn * jets.weights
        with np.errstate(invalid="ignore"):  # a class without weight has no mean
            means = [values[..., rows] @ weights[rows] / weights[rows].sum() for rows in members.values()]
        return np.stack(means).ravel()

    shape = (len(members), *values.shape[:2])
    found = figures(np.ones(values.shape[2], np.int64)).reshape(shape)
    sample = Sample(jets.task.hard_scatter, 1, 1)
    replicas = np.moveaxis(bootstrap([[figures]], sample, origin.seed)[0].reshape(-1, *shape), 0, -1)
    for c, jet_class in enumerate(members):
        for m, metric in enumerate(MEANS):
            for v, view in enumerate(jets.views):
                yield _record(jets, origin, metric, view, None, jet_class, found[c, m, v], replicas[c, m, v])
                if v:
                    shift = found[c, m, v] - found[c, m, 0], replicas[c, m, v] - replicas[c, m, 0]
                    yield _record(jets, origin, f"{metric}_shift", jets.views[0], view, jet_class, *shift)


def _record(  # noqa: PLR0913, PLR0917
    jets: CommonJets,
    origin: Origin,
    metric: str,
    view: str,
    other_view: str | None,
    jet_class: str,
    value: float,
    replicas: Floats,
) -> Result:
    return Result(
        encoder=None,
        baseline=None,
        method="jets",
        view=view,
        n_labels=0,
        all_labels=False,
        n_draws=1,
        metric=metric,
        other_view=other_view,
        jet_class=jet_class,
        value=float(value),
        error=spread(replicas),
        error_parts=ErrorParts(jets=spread(replicas)),
        replicas=tuple(replicas.tolist()),
        **jets.facts(origin),
    )
