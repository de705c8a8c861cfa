"""Fine-tuning in one domain and testing in another: adaptation to a shift, and sample size without one.

Letters: S training seeds, K draws, T test jets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit

from jetssl.config.domains import DomainCard
from jetssl.config.evaluation import Mode
from jetssl.config.weak import AdaptationCard, DomainName, SampleSizeCard
from jetssl.evaluation.fit_pool import run_fits
from jetssl.evaluation.fits import Bench, Fit, read_scores, unfinished_fits
from jetssl.evaluation.results import Result
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder
from jetssl.weak.domains import Question, load_domain, training_labels, transfer, true_labels
from jetssl.weak.records import Arm, JudgedJets, gap_closed, measured, records
from jetssl.weak.study import Study, vectors_of
from resim.common.arrays import Floats
from resim.common.progress import ProgressReport

SIMULATION_ONLY = "simulation_only"
SUPERVISED = "supervised"
ORACLE = "oracle"
"""Learned from labels of data, which nobody has."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """Fine-tunings of one encoder with the labels of one domain, tested in another, from whatever process."""

    run: Path
    learned: DomainCard
    tested: DomainCard
    question: Question
    output: Path
    seed: int
    steps: int
    oracle: bool = False
    """learns from labels that a domain without labels does not give"""

    def bench(self) -> Bench:
        """Jets, labels and jet vectors in memory."""
        loaded = load_encoder(RunFolder(self.run).best)
        data = loaded.card.data
        learned = load_domain("learned", self.learned, data.features, data.fractions)
        tested = load_domain("tested", self.tested, data.features, data.fractions)
        labels = (true_labels if self.oracle else training_labels)(learned, self.question)
        table, task = transfer(learned, labels, tested, true_labels(tested, self.question))
        vectors = vectors_of(loaded, table, [task.train, task.validation, task.test])
        return Bench(RunFolder(self.run), loaded, table, task, vectors, self.output, self.seed, self.steps)

    def make(self, fits: Sequence[Fit], jobs: int, title: str, quiet: bool) -> None:
        """Make the fits that are missing."""
        if missing := unfinished_fits(self.output, fits):
            with ProgressReport(title, len(missing), "fits", quiet) as progress:
                run_fits(self.bench, self.bench(), missing, jobs, progress)


@dataclass(frozen=True, slots=True)
class Asked:
    """Fine-tunings of one question."""

    study: Study
    learned: DomainName
    tested: DomainName
    jobs: int
    quiet: bool

    def transfer(self, pretraining: str, number: int, *, oracle: bool = False) -> Transfer:
        """Of one trained encoder."""
        card, folder = self.study.card, self.study.folder
        learned: DomainName = self.tested if oracle else self.learned
        name = f"{pretraining}_{number}_{learned}_{self.tested}"
        return Transfer(
            run=self.study.run(pretraining, number).path,
            learned=self.study.domain_card(learned),
            tested=self.study.domain_card(self.tested),
            question=self.study.question,
            output=folder / "fits" / name,
            seed=card.seed,
            steps=card.steps,
            oracle=oracle,
        )

    @property
    def train_view(self) -> str:
        """Of all arms; the oracle of an adaptation belongs to it though it learns elsewhere."""
        return self.study.domain_card(self.learned).view

    def fits(self, mode: Mode, labels: int | None) -> list[Fit]:
        """Of all draws."""
        return [Fit(mode, labels, draw) for draw in range(self.study.card.draws)]

    def make(self, pretraining: str, labels: Sequence[int | None]) -> None:
        """Fine-tune an encoder of every training seed with several numbers of labels."""
        fits = [fit for count in labels for fit in self.fits("full", count)]
        for number in range(self.study.card.pretraining_seeds):
            self.transfer(pretraining, number).make(fits, self.jobs, f"{pretraining} {number}", self.quiet)

    def make_fresh(self, labels: Sequence[int | None], *, oracle: bool = False) -> None:
        """Train the network of a pre-training from fresh weights."""
        fits = [fit for count in labels for fit in self.fits("scratch", count)]
        title = ORACLE if oracle else SUPERVISED
        self._without(oracle=oracle).make(fits, self.jobs, title, self.quiet)

    def _without(self, *, oracle: bool) -> Transfer:
        """Who has only the mean and spread of the features from a pre-training: one of the domain that is learned."""
        learned = self.tested if oracle else self.learned
        names = self.study.card.pretrainings
        own = [name for name, one in names.items() if one.domain == learned]
        return self.transfer((own or list(names))[0], 0, oracle=oracle)

    def pretrained(self, pretraining: str, labels: int | None) -> Arm:
        """What was made, for one number of labels."""
        fits = self.fits("full", labels)
        runs = [self.transfer(pretraining, number) for number in range(self.study.card.pretraining_seeds)]
        scores = np.stack([_scores(run, fits) for run in runs])
        return Arm(pretraining, "finetune_full", scores, *self._labels(labels), train_view=self.train_view)

    def fresh(self, run: str, labels: int | None, *, oracle: bool = False) -> Arm:
        """The same without pre-training; counts once for every training seed, so that it pairs."""
        scores = _scores(self._without(oracle=oracle), self.fits("scratch", labels))
        scores = np.stack([scores] * self.study.card.pretraining_seeds)
        return Arm(run, "finetune_scratch", scores, *self._labels(labels), "scratch", train_view=self.train_view)

    def _labels(self, labels: int | None) -> tuple[int, bool]:
        """How many they are, and whether these are all."""
        if labels is not None:
            return labels, False
        learned = self.study.domain(self.learned)
        usable = training_labels(learned, self.study.question).is_either
        return int(usable[learned.splits.train].sum()), True

    def judged(self, pretraining: str) -> JudgedJets:
        """What was tested."""
        tested = self.study.domain(self.tested)
        truth = true_labels(tested, self.study.question)
        test = tested.splits.test[truth.is_either[tested.splits.test]]
        encoder = self.study.run(pretraining, 0).load_card().encoder.name
        identity = tested.table.rows.identity[test]
        return JudgedJets(truth.task, tested.card.view, encoder, truth.is_signal[test], identity)


def _scores(of_run: Transfer, fits: Sequence[Fit]) -> Floats:
    return np.asarray(expit(np.stack([read_scores(of_run.output, fit) for fit in fits])))


def adaptation(study: Study, card: AdaptationCard, jobs: int, quiet: bool) -> list[Result]:
    """Does a pre-training on unlabelled data help a tagger that learns in the simulation and works on data?"""
    labels = None if card.labels == "all" else card.labels
    asked = Asked(study, "simulation", "data", jobs, quiet)
    first = card.pretrainings[0]
    for name in card.pretrainings:
        asked.make(name, [labels])
    for oracle in (False, True):
        asked.make_fresh([labels], oracle=oracle)
    arms = [asked.pretrained(name, labels) for name in card.pretrainings]
    arms.append(asked.fresh(SIMULATION_ONLY, labels))
    arms.append(asked.fresh(ORACLE, labels, oracle=True))
    test = asked.judged(first)
    found = measured(arms, test, study.card.seed)
    low, high = found[SIMULATION_ONLY], found[ORACLE]
    results = records(low, test, study.origin) + records(high, test, study.origin, low)
    for name in card.pretrainings:
        results += records(found[name], test, study.origin, low)
        results.append(gap_closed(found[name], low, high, test, study.origin))
    return results


def sample_size(study: Study, card: SampleSizeCard, jobs: int, quiet: bool) -> list[Result]:
    """How many labels is a pre-training worth, without any shift?"""
    asked = Asked(study, "simulation", "simulation", jobs, quiet)
    counts = [None if wanted == "all" else wanted for wanted in card.labels]
    for name in card.pretrainings:
        asked.make(name, counts)
    asked.make_fresh(counts)
    test = asked.judged(card.pretrainings[0])
    results: list[Result] = []
    for labels in counts:
        arms = [asked.pretrained(name, labels) for name in card.pretrainings]
        arms.append(asked.fresh(SUPERVISED, labels))
        found = measured(arms, test, study.card.seed)
        results += records(found[SUPERVISED], test, study.origin)
        for name in card.pretrainings:
            results += records(found[name], test, study.origin, found[SUPERVISED])
    return results
