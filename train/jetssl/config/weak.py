"""The card of `jetssl wsl`: two domains, pre-trainings, and the questions that are asked of them."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from jetssl.config.data import FeatureSet, Fractions
from jetssl.config.domains import DomainCard
from jetssl.config.pairs import Name, PairsCard
from resim.common.cards import CardModel, find_file, parse_card, read_yaml

Labels = Annotated[int, Field(ge=4, multiple_of=2)] | Literal["all"]
DomainName = Literal["simulation", "data"]
Rate = Annotated[float, Field(ge=0, lt=0.5)]
"""Share of wrong labels; from 0.5 on the classes cannot be told from them."""
NoisyMethod = Literal["plain", "gce", "forward", "forward_estimated", "co_teaching"]
"""How to learn from labels of which some are wrong."""
StudentMethod = Literal["hard", "soft", "confident", "gce", "forward", "co_teaching", "self_training"]
"""What a student makes of its teacher's labels."""


class StudyDomain(DomainCard):
    """A domain whose files may be left to the study."""

    files: tuple[str, ...] = ()
    """pair files; empty: the one that the study generates"""


class Domains(CardModel):
    """The two domains."""

    simulation: StudyDomain
    data: StudyDomain

    @model_validator(mode="after")
    def _who_is_labelled(self) -> "Domains":
        if not self.simulation.labelled or self.data.labelled:
            raise ValueError("simulation is the domain with labels, data that with `labelled: false`; say so")
        return self


class PretrainingCard(CardModel):
    """An encoder before it sees labels."""

    card: Path
    """training card"""
    domain: DomainName
    """whose files it sees, and with `data` no labels"""
    overrides: tuple[str, ...] = ()
    """`section.key=value`, after those of all"""


class AdaptationCard(CardModel):
    """Learn in the simulation, be tested on data."""

    pretrainings: tuple[Name, ...] = Field(min_length=1)
    labels: Labels = "all"


class SampleSizeCard(CardModel):
    """No shift: how many labels a pre-training is worth."""

    pretrainings: tuple[Name, ...] = Field(min_length=1)
    labels: tuple[Labels, ...] = Field(("all",), min_length=1)


class TeachingCard(CardModel):
    """A teacher that learned in the simulation labels data for a student."""

    pretraining: Name
    """whose frozen jet vectors both see"""
    methods: tuple[StudentMethod, ...] = Field(min_length=1)
    rounds: int = Field(3, ge=1)
    """of self-training"""
    transition: tuple[tuple[float, ...], ...] | None = None
    """of the teacher's labels, for `forward` and `co_teaching`: probabilities of the labels background and signal for
    jets of background, then of signal; null: as on held-out jets of the simulation"""


class NoiseCard(CardModel):
    """Labels of the simulation with noise of a known rate."""

    pretraining: Name
    methods: tuple[NoisyMethod, ...] = Field(min_length=1)
    symmetric: tuple[Rate, ...] = ()
    """rates of wrong labels"""
    class_dependent: tuple[tuple[Rate, Rate], ...] = ()
    """rates of background and signal"""


class MixturesCard(CardModel):
    """Samples of which only the signal fractions are known, or only that they differ."""

    pretraining: Name
    fractions: tuple[tuple[float, float], ...] = Field(min_length=1)


class WeakCard(CardModel):
    """The card of `jetssl wsl`."""

    pairs: PairsCard | None = None
    domains: Domains
    signal: tuple[str, ...] = ()
    """class names; empty: all that do not start with `qcd`"""
    background: tuple[str, ...] = ()
    """class names; empty: all that start with `qcd`"""
    features: FeatureSet = "relative_ip"
    """input of all encoders, as `data.features` of a training card"""
    fractions: Fractions = Fractions()
    overrides: tuple[str, ...] = ()
    """of the training card of every pre-training"""
    pretrainings: dict[Name, PretrainingCard] = Field(min_length=1)
    pretraining_seeds: int = Field(2, ge=1)
    """trainings of each, that figures are means over"""
    draws: int = Field(3, ge=2)
    """of labels, of fresh weights, of batches"""
    steps: int = Field(300, ge=1)
    """of a fine-tuning, at most"""
    student_steps: int = Field(300, ge=1)
    """of a student on frozen jet vectors, at most"""
    seed: int = Field(1, ge=0)
    adaptation: AdaptationCard | None = None
    sample_size: SampleSizeCard | None = None
    teaching: TeachingCard | None = None
    noise: NoiseCard | None = None
    mixtures: MixturesCard | None = None

    @model_validator(mode="after")
    def _known_names(self) -> "WeakCard":
        asked = [*(self.adaptation.pretrainings if self.adaptation else ())]
        asked += self.sample_size.pretrainings if self.sample_size else ()
        asked += [part.pretraining for part in (self.teaching, self.noise, self.mixtures) if part]
        for name in asked:
            if name not in self.pretrainings:
                raise ValueError(f"no pre-training {name!r}; there are {', '.join(self.pretrainings)}")
        if self.pairs is None and not (self.domains.simulation.files and self.domains.data.files):
            raise ValueError("domains name no files, and there is no section `pairs` that makes one; give either")
        return self


def load_weak_card(path: Path) -> WeakCard:
    """Read a card and find its files.

    Raises:
        InputError: unreadable card, unknown key, bad value, or a file that is not found.
    """
    card = parse_card(WeakCard, read_yaml(path), path)

    def found(name: Path | str) -> Path:
        return find_file(Path(name), path).resolve()

    def domain(one: StudyDomain) -> StudyDomain:
        return one.model_copy(update={"files": tuple(str(found(name)) for name in one.files)})

    changes: dict[str, object] = {
        "domains": Domains(simulation=domain(card.domains.simulation), data=domain(card.domains.data)),
        "pretrainings": {
            name: one.model_copy(update={"card": found(one.card)}) for name, one in card.pretrainings.items()
        },
    }
    if card.pairs is not None:
        changes["pairs"] = card.pairs.with_files(found)
    return card.model_copy(update=changes)
