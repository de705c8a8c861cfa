"""The training card: YAML, checked by frozen models, with `key=value` overrides.

Every key has a unit or a range; an unknown key, a value of the wrong kind or out of range is one line that names
the key, the value and what is allowed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator, model_validator

from resim.cards import CardModel, find_file, parse_card, read_yaml
from resim.errors import InputError


class Fractions(CardModel):
    """How hard scatters are divided; the three sum to 1."""

    train: float = Field(0.6, gt=0, lt=1)
    validation: float = Field(0.2, gt=0, lt=1)
    test: float = Field(0.2, gt=0, lt=1)

    @model_validator(mode="after")
    def _sums_to_one(self) -> "Fractions":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train + validation + test is {total:g}, want 1")
        return self


class DataCard(CardModel):
    """What is read and how it is presented."""

    files: tuple[str, ...] = Field(min_length=1)
    """pair files; looked for from the working directory, then from every folder above the card"""
    views: Literal["any"] | tuple[str, ...] = "any"
    """views that pairs are drawn from: `any` for all common ones, or at least two names"""
    features: Literal["relative"] = "relative"
    """input features of a constituent, see `jetssl.data.features`"""
    fractions: Fractions = Fractions()
    batch_size: int = Field(256, ge=2)
    """rows in a batch; NT-Xent contrasts each jet with the other 2 * batch_size - 2"""

    @field_validator("views")
    @classmethod
    def _two_views(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if value != "any" and len(set(value)) < 2:
            raise ValueError("want `any` or at least two different view names")
        return value


class EncoderCard(CardModel):
    """The backbone."""

    name: Literal["transformer"] = "transformer"
    width: int = Field(64, ge=1)
    """D, size of a token and of the jet vector; a multiple of `heads`"""
    layers: int = Field(3, ge=1)
    heads: int = Field(4, ge=1)
    expansion: int = Field(2, ge=1)
    """hidden size of the feed-forward part, in units of `width`"""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "EncoderCard":
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self


class ProjectorCard(CardModel):
    """The part that is thrown away after pre-training."""

    hidden: int = Field(64, ge=1)
    output: int = Field(32, ge=2)


class ObjectiveCard(CardModel):
    """The loss."""

    name: Literal["ntxent"] = "ntxent"
    temperature: float = Field(0.1, gt=0)


class TrainingCard(CardModel):
    """How it is optimized."""

    epochs: int = Field(20, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    """peak, reached after the warm-up"""
    weight_decay: float = Field(0.01, ge=0)
    warmup: float = Field(0.1, ge=0, lt=1)
    """share of all steps in which the rate rises linearly; afterwards it falls as a cosine to zero"""
    gradient_clip: float = Field(1.0, gt=0)
    """largest norm of the gradient"""
    seed: int = Field(1, ge=0)
    """of the initial weights, the order of rows, the choice of views and the augmentations"""
    threads: int = Field(2, ge=1)
    """CPU threads of torch"""


class Card(CardModel):
    """A training card with every default filled in."""

    data: DataCard
    encoder: EncoderCard = EncoderCard()
    projector: ProjectorCard = ProjectorCard()
    objective: ObjectiveCard = ObjectiveCard()
    training: TrainingCard = TrainingCard()

    def to_yaml(self) -> str:
        """The card as YAML, in the order of the models."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def load_card(path: Path, overrides: Sequence[str] = ()) -> Card:
    """Read a training card and resolve its file paths.

    Args:
        path: the YAML file.
        overrides: `section.key=value` strings; the value is parsed as YAML.

    Raises:
        InputError: unreadable card, unknown key, bad value, or a pair file that is not found.
    """
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise InputError(f"{path}: holds {type(raw).__name__}, want sections {', '.join(Card.model_fields)}")
    for override in overrides:
        _apply(raw, override)
    card = parse_card(Card, raw, path)
    files = tuple(str(find_file(Path(name), path).resolve()) for name in card.data.files)
    return card.model_copy(update={"data": card.data.model_copy(update={"files": files})})


def _apply(raw: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise InputError(f"override {override!r} is not of the form section.key=value, as in training.epochs=5")
    *sections, last = key.split(".")
    target = raw
    for section in sections:
        target = target.setdefault(section, {})
        if not isinstance(target, dict):
            raise InputError(f"override {override!r}: {section!r} is not a section")
    try:
        target[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"override {override!r}: the value is not YAML ({' '.join(str(error).split())})") from error
