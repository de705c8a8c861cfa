"""Labels with noise of a known rate: which method recovers what is lost?"""

from dataclasses import replace
from functools import partial

import numpy as np

from jetssl.common.seeds import Stream, generator
from jetssl.config.weak import NoiseCard, NoisyMethod
from jetssl.evaluation.results import Result
from jetssl.weak.frozen_tasks import Address, FrozenTask, Scores, frozen_tasks, scores_in
from jetssl.weak.label_noise import Matrix, class_dependent, corrupt, symmetric
from jetssl.weak.methods import Training, plain
from jetssl.weak.records import Arm, figures, measured, records
from jetssl.weak.student import LabelledJets
from jetssl.weak.study import Study

CLEAN = "clean"


def from_noise(study: Study, card: NoiseCard) -> list[Result]:
    """Every method at every noise, tested in the simulation with true labels.

    The difference of `plain` is to clean labels, that of all others to `plain` with the same noise.
    """
    there = list(frozen_tasks(study, card.pretraining, "simulation"))
    seed, draws, test = study.card.seed, study.card.draws, there[0].test
    n_labels = len(there[0].task.train)
    scores = scores_in(there, seed, draws, _clean)
    clean = figures(Arm(CLEAN, "wsl_plain", scores[CLEAN], n_labels), test, seed)
    results = records(clean, test, study.origin)
    for number, (name, matrix) in enumerate(_kinds(card).items()):
        methods = tuple(dict.fromkeys(("plain", *card.methods)))
        scores = scores_in(there, seed, draws, partial(_noisy, methods, matrix, number))
        arms = [Arm(method, f"wsl_{method}", scores[method], n_labels, noise=name) for method in methods]
        found = measured(arms, test, seed)
        for method in methods:
            reference = clean if method == "plain" else found["plain"]
            results += records(found[method], test, study.origin, reference)
    return results


def _kinds(card: NoiseCard) -> dict[str, Matrix]:
    """Transition matrices by the name of the noise."""
    kinds = {f"symmetric {rate:g}": symmetric(rate) for rate in card.symmetric}
    return kinds | {
        f"background {rates[0]:g}, signal {rates[1]:g}": class_dependent(rates) for rates in card.class_dependent
    }


def _clean(frozen: FrozenTask, address: Address) -> Scores:
    return {CLEAN: frozen.signal_probability(Training(frozen.trainer, *frozen.labelled, address).with_loss(plain))}


def _noisy(
    methods: tuple[NoisyMethod, ...], matrix: Matrix, number: int, frozen: FrozenTask, address: Address
) -> Scores:
    """All methods learn from the same labels; validation labels are as noisy."""
    seed, *rest = address
    rng = generator(seed, Stream.LABEL_NOISE, number, *rest)
    labelled = [_corrupted(labelled, matrix, rng) for labelled in frozen.labelled]
    training = Training(frozen.trainer, labelled[0], labelled[1], address)
    return {method: frozen.signal_probability(training.noisy(method, matrix)) for method in methods}


def _corrupted(labelled: LabelledJets, matrix: Matrix, rng: np.random.Generator) -> LabelledJets:
    return replace(labelled, targets=np.eye(len(matrix))[corrupt(labelled.targets.argmax(1), matrix, rng)])
