"""What another simulation of the same hard scatters does to a score: distances, shifts of efficiencies, ratios.

Letters: T test jets, V views of which the first is the nominal one, K fits, P working points, M replicas.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from jetssl.common.roc import WeightedRoc
from jetssl.common.seeds import Stream, generator
from jetssl.evaluation.bootstrap import Sample, Statistic, bootstrap, error_parts, spread
from jetssl.evaluation.distances import DISTANCES, distance
from jetssl.evaluation.metrics import WORKING_POINTS
from jetssl.evaluation.results import Distribution, Origin, Result
from jetssl.evaluation.summary import Comparison, summarize
from jetssl.evaluation.task import Task
from jetssl.evaluation.trained import HeadRecord
from resim.common.arrays import Floats, Integers

FEWEST: Final = 10
"""Jets of a class below which its distribution means nothing."""
N_SPLITS: Final = 20
"""Random divisions into halves behind a null value."""
SCORE_BINS: Final = 12


@dataclass(frozen=True, slots=True)
class CommonJets:
    """The jets that all classifiers are judged on: hard scatters of the test split with a jet in every view."""

    task: Task
    views: tuple[str, ...]
    jet_class: npt.NDArray[np.str_]
    """class name of each, `(T,)`"""

    @property
    def members(self) -> dict[str, Integers]:
        """Jets of each class that has `FEWEST` of them, and of a whole side of the task if it has several classes."""
        sides = [side for side in (self.task.signal, self.task.background) if len(side) > 1]
        groups = [*((name,) for name in np.unique(self.jet_class)), *sides]
        found = {"+".join(group): np.flatnonzero(np.isin(self.jet_class, group)) for group in groups}
        return {name: rows for name, rows in found.items() if len(rows) >= FEWEST}

    @property
    def weights(self) -> Floats:
        """Of the events, `(T,)`."""
        return np.asarray(self.task.weights[self.task.test])

    def facts(self, origin: Origin) -> dict[str, Any]:
        """What every record about them says."""
        return {
            "task": self.task.name,
            "classes": self.task.classes,
            "weighted": self.task.weighted,
            "n_test": len(self.jet_class),
            "n_hard_scatters": len(np.unique(self.task.hard_scatter)),
            "test_set": self.task.test_set,
            "seed": origin.seed,
            "command": origin.command,
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """One classifier, trained K times, and its scores."""

    name: str
    encoder: str
    record: HeadRecord
    logits: Floats
    """`(K, V, T)`"""

    @property
    def probability(self) -> Floats:
        """Of being signal, `(K, V, T)`."""
        return np.asarray(expit(self.logits))


@dataclass(frozen=True, slots=True)
class _Figure:
    metric: str
    other_view: str
    jet_class: str | None = None


def robustness(classifiers: Sequence[Judged], jets: CommonJets, reference: str, origin: Origin) -> list[Result]:
    """Records of every classifier, then ratios of distances to those of the reference, paired.

    Args:
        classifiers: their scores of the same jets.
        jets: these jets.
        reference: name of one of the classifiers.
        origin: seed of the replicas, and the command line.
    """
    results: list[Result] = []
    for judged in classifiers:
        results += _performance(judged, jets, origin)
        results += _changes(judged, jets, origin)
    distances = [result for result in results if result.metric in DISTANCES]
    of_reference = {(r.metric, r.other_view, r.jet_class): r for r in distances if r.run == reference}
    return results + [
        _ratio(result, of_reference[result.metric, result.other_view, result.jet_class], name)
        for result in distances
        if result.run != reference
        for name in RATIOS
    ]


def score_distributions(classifiers: Sequence[Judged], jets: CommonJets) -> list[Distribution]:
    """Histograms of the probability of being signal, mean over fits, by classifier, view and class."""
    edges = np.linspace(0, 1, SCORE_BINS + 1)

    def counts(probability: Floats, members: Integers) -> list[float]:
        weights = np.tile(jets.weights[members], len(probability))
        found = np.histogram(probability[:, members].ravel(), edges, weights=weights)[0]
        return [float(count) for count in found / len(probability)]

    return [
        Distribution(
            run=judged.name,
            quantity="score",
            view=view,
            jet_class=name,
            edges=edges.tolist(),
            counts=counts(judged.probability[:, index], members),
        )
        for judged in classifiers
        for index, view in enumerate(jets.views)
        for name, members in jets.members.items()
    ]


def _performance(judged: Judged, jets: CommonJets, origin: Origin) -> Iterator[Result]:
    """AUC and rejections in every view."""
    for index, view in enumerate(jets.views):
        comparison = Comparison(
            task=replace(jets.task, view=index),
            view=view,
            names=[(judged.record.baseline, judged.encoder)],
            scores=[judged.logits[:, index]],
            n_labels=judged.record.n_labels,
            all_labels=judged.record.all_labels,
            origin=origin,
            method=judged.record.method,
            of_seeds=_of_seeds(judged),
        )
        for result in summarize(comparison):
            yield result.model_copy(update={"run": judged.name})


def _of_seeds(judged: Judged) -> bool:
    """Several fits are label draws of a fine-tuning, and training seeds of anything else."""
    return not judged.record.method.startswith("finetune")


def _changes(judged: Judged, jets: CommonJets, origin: Origin) -> Iterator[Result]:
    """Distances and shifts between the nominal view and every other one."""
    probability = judged.probability
    statistics = [_statistic(of_fit, jets) for of_fit in probability]
    everything = np.ones(probability.shape[2], np.int64)
    values = np.mean([statistic(everything) for statistic in statistics], axis=0)
    of_seeds, fits = _of_seeds(judged), len(statistics)
    sample = Sample(jets.task.hard_scatter, *((fits, 1) if of_seeds else (1, fits)))
    replicas = bootstrap([[one] for one in statistics] if of_seeds else [statistics], sample, origin.seed)
    nulls = {
        (name, metric): _null(metric, probability[:, 0], members, jets, origin.seed)
        for name, members in jets.members.items()
        for metric in DISTANCES
    }
    for figure, value, of_figure in zip(_figures(jets), values, np.moveaxis(replicas, -1, 0), strict=True):
        yield Result(
            encoder=judged.encoder,
            baseline=judged.record.baseline,
            method=judged.record.method,
            view=jets.views[0],
            n_labels=judged.record.n_labels,
            all_labels=judged.record.all_labels,
            metric=figure.metric,
            other_view=figure.other_view,
            jet_class=figure.jet_class,
            value=float(value),
            error=spread(of_figure[0]),
            error_parts=error_parts(of_figure, sample),
            null=nulls.get((figure.jet_class or "", figure.metric)),
            replicas=tuple(of_figure[0].tolist()),
            run=judged.name,
            n_draws=sample.n_draws,
            n_seeds=sample.n_seeds,
            **jets.facts(origin),
        )


def _figures(jets: CommonJets) -> Iterator[_Figure]:
    """What `_statistic` computes, in its order."""
    for view in jets.views[1:]:
        for name in jets.members:
            yield from (_Figure(metric, view, name) for metric in DISTANCES)
        for kind in ("background", "signal"):
            yield from (_Figure(f"{kind}_efficiency_shift_at_{point}", view) for point in WORKING_POINTS)


def _statistic(probability: Floats, jets: CommonJets) -> Statistic:
    """Of one fit, from its probabilities `(V, T)`."""
    is_signal = jets.task.is_signal[jets.task.test]
    points, members = np.array(WORKING_POINTS), jets.members
    rocs = [WeightedRoc(view, is_signal) for view in probability]
    signal = np.flatnonzero(is_signal)

    def figures(drawn: Integers) -> Floats:
        weights = drawn * jets.weights
        passing = [roc(weights, points)[1:] for roc in rocs]
        kept = kept_at_nominal_cut(probability[:, signal], weights[signal], points)
        found: list[Any] = []
        for view in range(1, len(probability)):
            for rows in members.values():
                found += _distances(probability[0, rows], probability[view, rows], weights[rows])
            found += [*(passing[view] - passing[0]), *(kept[view] - kept[0])]
        return np.array(found, np.float64)

    return figures


def _distances(one: Floats, other: Floats, weights: npt.NDArray[Any]) -> list[float]:
    if not weights.any():
        return [np.nan] * len(DISTANCES)
    return [distance(metric, (one, weights), (other, weights), len(weights)) for metric in DISTANCES]


def kept_at_nominal_cut(scores: Floats, weights: npt.NDArray[Any], points: Floats) -> Floats:
    """Share of the jets of each view above the cuts that keep given shares of the nominal one.

    Args:
        scores: `(V, T)`; the first view is the nominal one.
        weights: `(T,)`.
        points: the shares, `(P,)`.

    Returns:
        `(V, P)`.
    """
    order = np.argsort(-scores[0], kind="stable")
    kept = np.cumsum(weights[order])
    if not kept[-1]:
        return np.full((len(scores), len(points)), np.nan)
    cuts = scores[0, order[np.searchsorted(kept, points * kept[-1] - 1e-9)]]
    return np.asarray(np.stack([(scores >= cut) @ weights for cut in cuts], axis=1) / kept[-1])


def _null(metric: str, nominal: Floats, members: Integers, jets: CommonJets, seed: int) -> float:
    """Distance of two independent samples of the nominal view with as many jets as there are, mean over splits.

    That of disjoint halves, divided by sqrt(2): noise falls with the root of the number of jets.

    Args:
        metric: which distance.
        nominal: probabilities `(K, T)`.
        members: jets of one class.
        jets: all jets; those of one hard scatter stay together.
        seed: of the splits.
    """
    rng = generator(seed, Stream.HALVES)
    names, member = np.unique(jets.task.hard_scatter[members], return_inverse=True)
    found = []
    for _ in range(N_SPLITS):
        first = (rng.permutation(len(names)) < len(names) // 2)[member]
        for of_fit in nominal:
            one, other = ((of_fit[half], jets.weights[half]) for half in (members[first], members[~first]))
            found.append(distance(metric, one, other, len(members)))
    return float(np.mean(found) / np.sqrt(2))


RATIOS: Final = ("ratio", "excess_ratio")
"""Of distances as they are; of what is left of them without their null values, in quadrature."""


def _distances_of(result: Result, *, excess: bool) -> Floats:
    """The distance and its replicas, `(1 + M,)`; an excess is 0 where the distance is below its null value."""
    distances = np.array([result.value, *(result.replicas or ())], np.float64)
    return np.asarray(np.sqrt(np.maximum(distances**2 - (result.null or 0.0) ** 2, 0))) if excess else distances


def _ratio(result: Result, reference: Result, name: str) -> Result:
    """Nothing where the distance of the reference is zero, which few jets in few bins may give."""
    over, under = (_distances_of(one, excess=name == "excess_ratio") for one in (result, reference))
    value, *replicas = np.divide(over, under, out=np.full_like(over, np.nan), where=under > 0).tolist()
    known = not np.isnan(value)
    update = {
        "metric": f"{result.metric}_{name}",
        "reference": reference.run,
        "value": value if known else None,
        "error": spread(np.array(replicas)) if known else None,
        "error_parts": None,
        "null": None,
        "replicas": tuple(replicas) if known else None,
    }
    return result.model_copy(update=update)
