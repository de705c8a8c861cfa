"""The steps of a study, in order; each has a folder of its own, named after the hash of everything that goes into it.

So a step is made once, and a card that changes makes anew what depends on the change and nothing else.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from jetssl.config.card import Card, card_from, load_card, with_overrides
from jetssl.config.pairs import PairsCard
from jetssl.config.study import QuestionCard, SampleCard, StudyCard, TrainingsCard
from jetssl.config.weak import load_weak_card
from jetssl.data.content_cache import cached
from jetssl.data.generation import PAIRS, make_pairs
from jetssl.study.questions import Question, ask
from jetssl.study.steps import Step
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder, State
from resim.card import generation_card
from resim.card.delphes_card import content_digest
from resim.common.cards import find_file, read_yaml
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile

SAMPLES: Final = "samples"
"""Stage of the steps that make pair files."""


@dataclass(frozen=True)
class Plan:
    """A card, and the folder of its study."""

    card: StudyCard
    folder: Path
    quiet: bool = field(default=False, compare=False)

    @property
    def steps(self) -> Iterator[Step]:
        """All of them; those that come later need those before."""
        yield from self._samples()
        yield from self._trainings()
        for name, question in self.questions.items():
            for part in question.parts(self.card.questions[name]):
                make = partial(ask, part, quiet=self.quiet)
                yield Step(f"{name}: {part.title}", name, part.output, part.done, make, part.alone)

    def _samples(self) -> Iterator[Step]:
        for name, sample in self.card.samples.items():
            if sample.make is not None:
                (file,) = self.files([name])
                make = partial(make_pairs, sample.make, file.parent)
                yield Step(f"sample {name}", SAMPLES, file.parent, file.exists, make, alone=True)

    def _trainings(self) -> Iterator[Step]:
        for name, wanted in self.card.trainings.items():
            for number in range(wanted.seeds):
                run = RunFolder(self.runs[name].with_name(f"{name}_{number}"))
                title = f"training {name}, {number + 1} of {wanted.seeds}"
                make = partial(self._train, name, number, run)
                yield Step(title, "trainings", run.path, partial(_is_trained, run), make)

    def _train(self, name: str, number: int, run: RunFolder) -> None:
        """Train, or go on.

        Raises:
            KeyboardInterrupt: Ctrl-C or SIGTERM; the same command goes on.
        """
        card = self.training_card(name, number + 1)
        if pretrain(card, run, quiet=self.quiet).state is State.RESUMABLE:
            raise KeyboardInterrupt

    def training_card(self, name: str, seed: int) -> Card:
        """The resolved card of one training; the files of its samples must be there.

        Raises:
            InputError: unusable card.
        """
        wanted = self.card.trainings[name]
        files = json.dumps([str(path) for path in self.files(wanted.sample)])
        changes = [*self.card.overrides, *wanted.overrides, f"data.files={files}", f"training.seed={seed}"]
        return load_card(wanted.card, changes)

    def files(self, samples: Sequence[str]) -> list[Path]:
        """Pair files of samples."""
        of_each = {name: self._files_of(self.card.samples[name], name) for name in samples}
        return [path for paths in of_each.values() for path in paths]

    def _files_of(self, sample: SampleCard, name: str) -> Sequence[Path]:
        if sample.make is None:
            return sample.files
        return [self.folder.resolve() / "samples" / f"{name}-{_key(_recipe(sample.make))}" / PAIRS]

    def refuse_unknown_classes(self) -> None:
        """Look whether the samples have the classes that are asked for, before any training; samples are there.

        Raises:
            InputError: one is missing.
        """
        for name, asked in self.card.questions.items():
            trainings = [run.split("/")[1] if "/" in run else run for run in asked.runs]
            samples = asked.sample or [one for run in trainings for one in self.card.trainings[run].sample]
            known = {label for file in self.files(samples) for label in _labels(file)}
            if missing := [one for one in asked.classes if one not in known]:
                raise InputError(
                    f"questions.{name}: no class {missing[0]!r} in its samples, which have"
                    f" {', '.join(sorted(known))}; correct the card"
                )

    @cached_property
    def runs(self) -> dict[str, Path]:
        """Where the trainings of each name are, as `evaluate` takes them: `<path>` for `<path>_0` and so on."""
        place = self.folder / "trainings"
        return {name: place / f"{name}-{self._training_key(name)}" / name for name in self.card.trainings}

    @cached_property
    def questions(self) -> dict[str, Question]:
        """Each question with the folder of its answers."""
        found: dict[str, Question] = {}
        for name, asked in self.card.questions.items():
            folder = self.folder / "questions" / f"{name}-{self._question_key(asked)}"
            runs = {run: self._runs_of(run, found) for run in asked.runs}
            found[name] = Question(name, folder, runs, tuple(self.files(asked.sample)))
        return found

    def _runs_of(self, run: str, before: dict[str, Question]) -> list[Path]:
        """Folders of a training, or of fits of an earlier question."""
        if "/" not in run:
            return _numbered(self.runs[run], self.card.trainings[run].seeds)
        question, training, fit = run.split("/", 2)
        asked = self.card.questions[question].finetune
        draws = asked.seeds if asked is not None else 0
        places = _numbered(before[question].folder / training, self.card.trainings[training].seeds)
        return [one for place in places for one in _numbered(place / fit, draws)]

    def _sample_key(self, name: str) -> Any:
        sample = self.card.samples[name]
        return _recipe(sample.make) if sample.make else [cached(path, digest) for path in sample.files]

    def _training_key(self, name: str) -> str:
        wanted = self.card.trainings[name]
        samples = [self._sample_key(one) for one in wanted.sample]
        detector = [] if (live := self._live_views(wanted)) is None else [content_digest(live)]
        content = [wanted.card.read_text(encoding="utf-8"), self.card.overrides, wanted.overrides, samples]
        return _key([*content, *detector])

    def _live_views(self, wanted: TrainingsCard) -> Path | None:
        """The detector of a training with live views, whose content counts, too."""
        raw = with_overrides(read_yaml(wanted.card), [*self.card.overrides, *wanted.overrides], wanted.card)
        live = card_from(raw, wanted.card).views.live
        return find_file(live.detector, wanted.card) if live and live.detector else None

    def _question_key(self, asked: QuestionCard) -> str:
        runs: list[Any] = []
        for run in asked.runs:
            if "/" in run:
                question, training, fit = run.split("/", 2)
                earlier = self.card.questions[question]
                runs.append([self._question_key(earlier), training, self.card.trainings[training].seeds, fit])
            else:
                runs.append([run, self.card.trainings[run].seeds, self._training_key(run)])
        options = _weak_recipe(asked.wsl.card) if asked.wsl is not None else options_of(asked.section)
        return _key([asked.command, options, runs, list(map(self._sample_key, asked.sample))])


def options_of(section: BaseModel) -> dict[str, Any]:
    """Options that are not at their defaults: one that a later version adds makes nothing anew."""
    return section.model_dump(mode="json", exclude_defaults=True)


def _labels(path: Path) -> list[str]:
    with PairFile(path) as file:
        return list(file.labels)


def _is_trained(run: RunFolder) -> bool:
    return run.provenance.is_file() and run.load_provenance().finished is not None


def _numbered(path: Path, count: int) -> list[Path]:
    return [path.with_name(f"{path.name}_{number}") for number in range(count)]


def _recipe(card: PairsCard) -> list[Any]:
    """What a generated file follows from: the settings of both cards, and the content of every file they name."""
    generation = generation_card.load_card(card.generate).model_dump(mode="json", by_alias=True)
    wanted = card.model_dump(mode="json", exclude={"scheduler"})  # who makes it does not matter
    return [_with_contents(wanted), _with_contents(generation)]


def _weak_recipe(path: Path) -> list[Any]:
    """What a study of weak supervision follows from."""
    card = load_weak_card(path)
    settings = card.model_dump(mode="json", exclude={"pairs"})
    return [_with_contents(settings), _recipe(card.pairs) if card.pairs is not None else []]


def _with_contents(value: Any) -> Any:
    """Settings in which the hash of a file stands for its name, wherever it lies."""
    if isinstance(value, dict):
        return {name: _with_contents(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_contents(one) for one in value]
    if isinstance(value, str) and Path(value).suffix and Path(value).is_file():
        with Path(value).open("rb") as file:  # a pair file may be larger than memory
            return hashlib.file_digest(file, "sha256").hexdigest()
    return value


def _key(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
