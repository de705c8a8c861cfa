"""Mixed samples whose jets nobody has labelled, next to the labels of the same jets."""

from functools import partial

import numpy as np

from jetssl.common.seeds import Stream, generator
from jetssl.config.weak import MixturesCard
from jetssl.evaluation.results import Result
from jetssl.weak.frozen_tasks import Address, FrozenTask, Scores, frozen_tasks, scores_in
from jetssl.weak.methods import Training, from_proportions, plain
from jetssl.weak.mixed_samples import draw_mixtures
from jetssl.weak.records import Arm, measured, records
from jetssl.weak.student import LabelledJets
from jetssl.weak.study import Study
from jetssl.weak.teaching import one_hot
from resim.common.arrays import Integers

LABELS = "labels"
Fractions = tuple[float, float]


def from_mixtures(study: Study, card: MixturesCard) -> list[Result]:
    """CWoLa and label proportions at every pair of signal fractions; differences are to labels of the same jets."""
    there = list(frozen_tasks(study, card.pretraining, "simulation"))
    seed, test = study.card.seed, there[0].test
    results: list[Result] = []
    for number, fractions in enumerate(card.fractions):
        scores = scores_in(there, seed, study.card.draws, partial(_mixed, fractions, number))
        first = _samples(there[0], there[0].task.train, fractions, (seed, number, 0, 0, 0))
        text = f"signal fractions {fractions[0]:g}, {fractions[1]:g}"
        arms = [Arm(name, f"wsl_{name}", of, sum(map(len, first)), noise=text) for name, of in scores.items()]
        found = measured(arms, test, seed)
        for name in scores:
            results += records(found[name], test, study.origin, None if name == LABELS else found[LABELS])
    return results


def _mixed(fractions: Fractions, number: int, frozen: FrozenTask, address: Address) -> Scores:
    seed, *rest = address
    learn, hold_out = (
        _samples(frozen, rows, fractions, (seed, number, *rest, side))
        for side, rows in enumerate((frozen.task.train, frozen.task.validation))
    )
    signal = frozen.task.is_signal
    labels = Training(frozen.trainer, _labels(learn, signal), _labels(hold_out, signal), address)
    cwola = Training(frozen.trainer, _numbers(learn, fractions), _numbers(hold_out, fractions), address)
    known = Training(frozen.trainer, _proportions(learn, fractions), _proportions(hold_out, fractions), address)
    return {
        LABELS: frozen.signal_probability(labels.with_loss(plain)),
        "cwola": frozen.signal_probability(cwola.with_loss(plain)),
        "label_proportions": frozen.signal_probability(known.with_loss(from_proportions)),
    }


def _samples(frozen: FrozenTask, rows: Integers, fractions: Fractions, address: Address) -> list[Integers]:
    """Rows of each sample; the classes are only used to mix them."""
    seed, *rest = address
    drawn = draw_mixtures(frozen.task.is_signal[rows], fractions, generator(seed, Stream.MIXTURES, *rest))
    return [rows[index] for index in drawn]


def _labels(samples: list[Integers], is_signal: np.ndarray) -> LabelledJets:
    rows = np.concatenate(samples)
    return one_hot(rows, is_signal[rows])


def _numbers(samples: list[Integers], fractions: Fractions) -> LabelledJets:
    """The sample with more signal is called signal."""
    richer = int(fractions[1] > fractions[0])
    called = [np.full(len(sample), index == richer) for index, sample in enumerate(samples)]
    return one_hot(np.concatenate(samples), np.concatenate(called))


def _proportions(samples: list[Integers], fractions: Fractions) -> LabelledJets:
    known = np.repeat(np.array(fractions), [len(sample) for sample in samples])
    return LabelledJets(np.concatenate(samples), np.stack([1 - known, known], axis=1))
