"""Mixed samples whose jets nobody has labelled, next to the labels of the same jets."""

from functools import partial

import numpy as np

from jetssl.common.seeds import Stream, generator
from jetssl.config.weak import MixturesCard
from jetssl.evaluation.results import Result
from jetssl.weak.methods import Training, from_proportions, plain
from jetssl.weak.mixed_samples import draw_mixtures
from jetssl.weak.records import Arm, measured, records
from jetssl.weak.rooms import Address, Room, Scores, rooms, scores_in
from jetssl.weak.student import Lesson
from jetssl.weak.study import Study
from jetssl.weak.teaching import one_hot
from resim.common.arrays import Integers

LABELS = "labels"
Fractions = tuple[float, float]


def from_mixtures(study: Study, card: MixturesCard) -> list[Result]:
    """CWoLa and label proportions at every pair of signal fractions; differences are to labels of the same jets."""
    there = list(rooms(study, card.pretraining, "simulation"))
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


def _mixed(fractions: Fractions, number: int, room: Room, address: Address) -> Scores:
    seed, *rest = address
    learn, hold_out = (
        _samples(room, rows, fractions, (seed, number, *rest, side))
        for side, rows in enumerate((room.task.train, room.task.validation))
    )
    signal = room.task.is_signal
    labels = Training(room.school, _labels(learn, signal), _labels(hold_out, signal), address)
    cwola = Training(room.school, _numbers(learn, fractions), _numbers(hold_out, fractions), address)
    known = Training(room.school, _proportions(learn, fractions), _proportions(hold_out, fractions), address)
    return {
        LABELS: room.said(labels.with_loss(plain)),
        "cwola": room.said(cwola.with_loss(plain)),
        "label_proportions": room.said(known.with_loss(from_proportions)),
    }


def _samples(room: Room, rows: Integers, fractions: Fractions, address: Address) -> list[Integers]:
    """Rows of each sample; the classes are only used to mix them."""
    seed, *rest = address
    drawn = draw_mixtures(room.task.is_signal[rows], fractions, generator(seed, Stream.MIXTURES, *rest))
    return [rows[index] for index in drawn]


def _labels(samples: list[Integers], is_signal: np.ndarray) -> Lesson:
    rows = np.concatenate(samples)
    return one_hot(rows, is_signal[rows])


def _numbers(samples: list[Integers], fractions: Fractions) -> Lesson:
    """The sample with more signal is called signal."""
    richer = int(fractions[1] > fractions[0])
    called = [np.full(len(sample), index == richer) for index, sample in enumerate(samples)]
    return one_hot(np.concatenate(samples), np.concatenate(called))


def _proportions(samples: list[Integers], fractions: Fractions) -> Lesson:
    known = np.repeat(np.array(fractions), [len(sample) for sample in samples])
    return Lesson(np.concatenate(samples), np.stack([1 - known, known], axis=1))
