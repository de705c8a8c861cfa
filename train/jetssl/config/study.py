"""The card of `jetssl study`: samples, trainings, questions to them, and the claims that the answers test."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from jetssl.config.card import with_overrides
from jetssl.config.evaluation import (
    AnomalyCard,
    EvaluateCard,
    FineTuneCard,
    GeometryCard,
    ProbeCard,
)
from jetssl.config.pairs import Name, PairsCard
from jetssl.config.sections import Labels, Section
from resim.common.cards import CardModel, find_file, parse_card, read_yaml

COMMANDS = ("probe", "finetune", "evaluate", "geometry", "anomaly", "wsl")
"""What a question may ask; each is the command of that name, with its options as keys."""


class SampleCard(CardModel):
    """Pair files: given, or made."""

    files: tuple[Path, ...] = ()
    make: PairsCard | None = None

    @model_validator(mode="after")
    def _either(self) -> "SampleCard":
        if bool(self.files) == (self.make is not None):
            raise ValueError("a sample is either `files` or `make`; give one of them")
        return self


class TrainingsCard(CardModel):
    """One training card, trained several times."""

    card: Path
    sample: tuple[Name, ...] = Field(min_length=1)
    overrides: tuple[str, ...] = ()
    """`section.key=value`, after those of all"""
    seeds: int = Field(3, ge=1)
    """trainings, with `training.seed` 1, 2 …"""


class TalkTable(CardModel):
    """What the talk says, printed beside what was measured."""

    title: str
    header: tuple[str, ...] = Field(min_length=2)
    rows: tuple[tuple[str | int | float, ...], ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rectangular(self) -> "TalkTable":
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(f"row {row[0]!r} has {len(row)} cells, the header has {len(self.header)}")
        return self


class WslCard(CardModel):
    """A study of weak supervision, which makes its own pair file and trainings."""

    card: Path
    """of `jetssl wsl`"""


class QuestionCard(CardModel):
    """One command of jetssl, asked of several trainings."""

    probe: ProbeCard | None = None
    finetune: FineTuneCard | None = None
    evaluate: EvaluateCard | None = None
    geometry: GeometryCard | None = None
    anomaly: AnomalyCard | None = None
    wsl: WslCard | None = None
    runs: tuple[str, ...] = ()
    """names of trainings; of `evaluate` also `QUESTION/TRAINING/FIT`, e.g. in_domain/rs3l/full_all"""
    sample: tuple[Name, ...] = ()
    """pair files; none: those of the training"""
    metric: tuple[str, ...] = Field(("auc", "rejection_at_0.5"), min_length=1)
    """of the table, as `jetssl compare --metric`"""
    reference: str = ""
    """row that differences, and ratios of `evaluate`, are to; default: the first"""
    talk: TalkTable | None = None

    @model_validator(mode="after")
    def _one_command(self) -> "QuestionCard":
        asked = [name for name in COMMANDS if getattr(self, name) is not None]
        if len(asked) != 1:
            raise ValueError(f"asks {', '.join(asked) or 'nothing'}; want one of {', '.join(COMMANDS)}")
        if bool(self.runs) == (self.wsl is not None):
            raise ValueError(
                f"{asked[0]}: {'brings its own trainings; leave out' if self.runs else 'of which'} `runs`"
            )
        if self.wsl is not None and self.sample:
            raise ValueError("wsl: its own card says which pair files; leave out `sample`")
        if self.geometry is not None and len(self.sample) > 1:
            raise ValueError("geometry looks at one pair file; name one sample")
        return self

    @property
    def command(self) -> str:
        """Name of the command."""
        return next(name for name in COMMANDS if getattr(self, name) is not None)

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that it names."""
        sides = (getattr(self.section, name, ()) for name in ("signal", "background", "class_names"))
        return tuple(name for side in sides for group in side for name in group.split("+"))

    @property
    def section(self) -> Section | WslCard:
        """Its options; ratios of `evaluate` are to the reference of the table, too."""
        section: Section | WslCard = getattr(self, self.command)
        if isinstance(section, EvaluateCard) and not section.reference:
            return section.model_copy(update={"reference": self.reference})
        return section


class ClaimCard(CardModel):
    """A sentence, and the figure that decides whether it holds."""

    says: str
    question: Name
    row: str
    """of the table of the question"""
    metric: str = "auc"
    labels: Labels | None = None
    """null: the figure has one number of labels only, or none"""
    view: str = ""
    other_view: str = ""
    """these may be patterns, as `[hv]*` for whichever of herwig and vincia there is"""
    jet_class: str = ""
    against: str = ""
    """other row, for a paired difference; empty: `than`"""
    than: float | Literal["null"] = 0.0
    """number, or the null value of the figure itself"""
    expected: Literal["larger", "smaller"] = "larger"
    margin: float = Field(0.0, ge=0)
    """by which the figure may miss: with `larger`, the claim is that it is not smaller by more than that"""


class StudyCard(CardModel):
    """The card of `jetssl study`."""

    title: str
    differs: str = ""
    """what is not as in the talk: size, simulator, detector"""
    samples: dict[Name, SampleCard] = Field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    """of every training card"""
    trainings: dict[Name, TrainingsCard] = Field(default_factory=dict)
    questions: dict[Name, QuestionCard] = Field(min_length=1)
    claims: tuple[ClaimCard, ...] = ()

    @model_validator(mode="after")
    def _known_names(self) -> "StudyCard":
        for kind, name, known in self._references():
            if name not in known:
                raise ValueError(f"no {kind} {name!r}; there are {', '.join(known)}")
        return self

    def _references(self) -> Iterator[tuple[str, str, Sequence[str]]]:
        """Kind and name of everything that is named, and the names that there are."""
        samples = [name for one in self.trainings.values() for name in one.sample]
        samples += [name for one in self.questions.values() for name in one.sample]
        yield from (("sample", name, tuple(self.samples)) for name in samples)
        before: list[str] = []
        for name, question in self.questions.items():
            for run in question.runs:
                training = run
                if "/" in run and question.evaluate is not None:
                    earlier, training = run.split("/", 2)[:2]
                    yield "earlier question", earlier, [n for n in before if self.questions[n].finetune is not None]
                yield "training", training, tuple(self.trainings)
            before.append(name)
        yield from (("question", claim.question, tuple(self.questions)) for claim in self.claims)


def load_study_card(path: Path, overrides: Sequence[str] = ()) -> StudyCard:
    """Read a card and find its files.

    Args:
        path: the YAML file.
        overrides: `section.key=value`; the value is parsed as YAML.

    Raises:
        InputError: unreadable card, unknown key, bad value, or a file that is not found.
    """
    card = parse_card(StudyCard, with_overrides(read_yaml(path), overrides, path), path)

    def found(name: Path) -> Path:
        return find_file(name, path).resolve()

    def sample(one: SampleCard) -> dict[str, Any]:
        return {"files": tuple(map(found, one.files)), "make": one.make and one.make.with_files(found)}

    def question(one: QuestionCard) -> dict[str, Any]:
        return {"wsl": one.wsl and WslCard(card=found(one.wsl.card))}

    return card.model_copy(
        update={
            "samples": {name: one.model_copy(update=sample(one)) for name, one in card.samples.items()},
            "trainings": {
                name: one.model_copy(update={"card": found(one.card)}) for name, one in card.trainings.items()
            },
            "questions": {name: one.model_copy(update=question(one)) for name, one in card.questions.items()},
        }
    )
