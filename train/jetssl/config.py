"""The training card: YAML, checked by frozen models, with `key=value` overrides.

Every key has a unit or a range; an unknown key, a value of the wrong kind or out of range is one line that names
the key, the value and what is allowed.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar, get_args

import yaml
from pydantic import Field, PositiveInt, create_model, field_validator, model_validator

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


class _WithHeads(Protocol):
    @property
    def width(self) -> int: ...
    @property
    def heads(self) -> int: ...


CardT = TypeVar("CardT", bound=_WithHeads)


def _heads_divide_width(card: CardT) -> CardT:
    if card.width % card.heads:
        raise ValueError(f"width {card.width} is not a multiple of heads {card.heads}")
    return card


class AugmentationsCard(CardModel):
    """Changes of every jet, drawn anew for each view and epoch; see `jetssl.data.augmentations`."""

    rotate: bool = True
    """about the jet axis by a random angle"""
    mirror: bool = True
    """half of the jets"""
    crop: float = Field(0.0, ge=0, lt=1)
    """probability of a constituent to be left out"""
    split_up_to: int = Field(0, ge=0)
    """collinear splittings until a jet has this many constituents or all are split; 0: none"""
    smear: float = Field(0.0, ge=0)
    """GeV, Lambda of the soft smearing by Lambda / pT"""
    translate: float = Field(0.0, ge=0)
    """largest shift in units of the extent of the jet"""


class DataCard(CardModel):
    """What is read and how it is presented."""

    files: tuple[str, ...] = Field(min_length=1)
    """pair files; looked for from the working directory, then from every folder above the card"""
    views: Literal["any"] | tuple[str, ...] = "any"
    """views that pairs are drawn from: `any` for all common ones, or two names at least (`augment`: one)"""
    source: Literal["resim", "augment", "both"] = "both"
    """what tells the two views of a row apart: `resim`, two stored views as they are; `augment`, augmentations of one
    stored view; `both`, augmentations of two stored views"""
    augmentations: AugmentationsCard = AugmentationsCard()
    """not used with source `resim`"""
    features: Literal["relative", "kin", "kinpid", "full", "rs3l"] = "relative"
    """input features of a constituent, see `jetssl.data.features`"""
    fractions: Fractions = Fractions()
    batch_size: int = Field(256, ge=2)
    """rows in a batch, shared by all processes; NT-Xent contrasts each jet with the other 2 * batch_size - 2"""

    @field_validator("views")
    @classmethod
    def _no_view_twice(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if value != "any" and len(set(value)) != len(value):
            raise ValueError("a view is named twice")
        return value

    @model_validator(mode="after")
    def _enough_views(self) -> "DataCard":
        least = 1 if self.source == "augment" else 2
        if self.views != "any" and len(self.views) < least:
            raise ValueError(
                f"views {list(self.views)}: source {self.source} wants `any` or at least {least} different view names"
            )
        return self


class TransformerCard(CardModel):
    """Transformer with a mean or pT-weighted sum; JetCLR (arXiv:2108.04253) has 1000, 4, 4, 1 and dropout 0.1."""

    name: Literal["transformer"] = "transformer"
    width: int = Field(64, ge=1)
    """D, size of a token and of the jet vector; a multiple of `heads`"""
    layers: int = Field(3, ge=1)
    heads: int = Field(4, ge=1)
    expansion: int = Field(2, ge=1)
    """hidden size of the feed-forward part, in units of `width`"""
    dropout: float = Field(0.0, ge=0, lt=1)
    """of attention weights, activations and branches"""
    continuous_mask: bool = False
    """constituents count by their pT, so that a soft one changes nothing"""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "TransformerCard":
        return _heads_divide_width(self)


class PartCard(CardModel):
    """Particle Transformer; defaults as published (arXiv:2202.03772, sec. 5)."""

    name: Literal["part"] = "part"
    width: int = Field(128, ge=1)
    """D; a multiple of `heads`"""
    layers: int = Field(8, ge=1)
    class_layers: int = Field(2, ge=1)
    heads: int = Field(8, ge=1)
    expansion: int = Field(4, ge=1)
    """hidden size of the feed-forward part, in units of `width`"""
    dropout: float = Field(0.1, ge=0, lt=1)
    """of attention weights, activations and branches; none in class layers"""
    embedding: tuple[PositiveInt, ...] = (128, 512)
    """hidden sizes of the embedding of constituents"""
    pair_embedding: tuple[PositiveInt, ...] = (64, 64, 64)
    """hidden sizes of the embedding of pairs"""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "PartCard":
        return _heads_divide_width(self)


class ParticleNetCard(CardModel):
    """ParticleNet; defaults as published (arXiv:1902.08570, fig. 2)."""

    name: Literal["particlenet"] = "particlenet"
    neighbours: int = Field(16, ge=1)
    channels: tuple[Annotated[tuple[PositiveInt, ...], Field(min_length=1)], ...] = Field(
        ((64, 64, 64), (128, 128, 128), (256, 256, 256)), min_length=1
    )
    """sizes of the perceptron on edges, for each block; D is the very last"""


class Rs3lGnnCard(CardModel):
    """Graph network of RS3L (arXiv:2403.07066); defaults as in its code."""

    name: Literal["rs3l_gnn"] = "rs3l_gnn"
    width: int = Field(128, ge=1)
    """D"""
    layers: int = Field(3, ge=1)
    neighbours: int = Field(24, ge=1)
    """itself included"""


class InteractionNetworkCard(CardModel):
    """Interaction network; defaults as published (arXiv:1909.12285, sec. 4)."""

    name: Literal["interaction_network"] = "interaction_network"
    width: int = Field(24, ge=1)
    """D, D_O of the paper"""
    message: int = Field(20, ge=1)
    """size of a message, D_E of the paper"""
    hidden: tuple[PositiveInt, ...] = Field((60, 30), min_length=1)
    """hidden sizes of both perceptrons"""


EncoderCard = TransformerCard | PartCard | ParticleNetCard | Rs3lGnnCard | InteractionNetworkCard
"""The backbone."""


class ProjectorCard(CardModel):
    """The part that is thrown away after pre-training."""

    hidden: tuple[PositiveInt, ...] = (64,)
    """hidden sizes; a single number means one layer"""
    output: int = Field(32, ge=2)
    activation: Literal["gelu", "relu", "elu"] = "gelu"
    batch_norm: bool = False
    """before every activation"""

    @field_validator("hidden", mode="before")
    @classmethod
    def _one_layer(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int) else value


class NtXentCard(CardModel):
    """SimCLR's loss (arXiv:2002.05709, eq. 1) on pairs of views."""

    name: Literal["ntxent"] = "ntxent"
    temperature: float = Field(0.1, gt=0)


class VicregCard(CardModel):
    """Variance-invariance-covariance regularization (arXiv:2105.04906) on pairs of views, published weights."""

    name: Literal["vicreg"] = "vicreg"
    invariance: float = Field(25.0, ge=0)
    variance: float = Field(25.0, ge=0)
    covariance: float = Field(1.0, ge=0)


class SupConCard(CardModel):
    """Supervised contrastive loss (arXiv:2004.11362, eq. 2): jets of a class attract each other."""

    name: Literal["supcon"] = "supcon"
    temperature: float = Field(0.1, gt=0)


class SupervisedCard(CardModel):
    """Cross-entropy of a linear layer on the jet vector; no projector."""

    name: Literal["supervised"] = "supervised"


ObjectiveCard = NtXentCard | VicregCard | SupConCard | SupervisedCard
"""The loss."""


class TrainingCard(CardModel):
    """How it is optimized."""

    epochs: int = Field(20, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    """peak, reached after the warm-up"""
    weight_decay: float = Field(0.01, ge=0)
    schedule: Literal["cosine", "one_cycle"] = "cosine"
    """`cosine`: a linear rise from zero, then half a cosine to zero; `one_cycle`: half a cosine from 1/25 to the
    peak, then half a cosine down to nothing"""
    warmup: float = Field(0.1, ge=0, lt=1)
    """share of all steps in which the rate rises"""
    gradient_clip: float | None = Field(1.0, gt=0)
    """largest norm of the gradient; null: any"""
    ema: float | None = Field(None, gt=0, lt=1)
    """decay per step of the exponential moving average of the weights that is validated and saved; null: none"""
    patience: int | None = Field(None, ge=1)
    """epochs without a lower validation loss after which the training ends; null: never"""
    seed: int = Field(1, ge=0)
    """of the initial weights, the order of rows, the choice of views and the augmentations"""
    threads: int = Field(2, ge=1)
    """CPU threads of torch, of each process"""
    precision: Literal["single", "double"] = "single"
    """of weights and features; `double` to compare trainings"""


ENCODER_CARDS: dict[str, type[EncoderCard]] = {
    card.model_fields["name"].default: card for card in get_args(EncoderCard)
}
OBJECTIVE_CARDS: dict[str, type[ObjectiveCard]] = {
    card.model_fields["name"].default: card for card in get_args(ObjectiveCard)
}


class Card(CardModel):
    """A training card with every default filled in."""

    data: DataCard
    encoder: EncoderCard = TransformerCard()
    projector: ProjectorCard = ProjectorCard()
    objective: ObjectiveCard = NtXentCard()
    training: TrainingCard = TrainingCard()

    def to_yaml(self) -> str:
        """The card as YAML, in the order of the models."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def card_from(raw: Any, path: Path) -> Card:
    """Check what was read from a card or a checkpoint.

    The names of encoder and objective decide which keys their sections may have, before anything else is looked at;
    so an error speaks of the section that is meant.

    Args:
        raw: the whole card as YAML or JSON gives it.
        path: the file, for messages.

    Raises:
        InputError: names the first key that is wrong, its value and what is wanted.
    """
    sections = raw if isinstance(raw, dict) else {}
    names = []
    for section, cards in (("encoder", ENCODER_CARDS), ("objective", OBJECTIVE_CARDS)):
        given = sections.get(section)
        default = Card.model_fields[section].default.name
        name = given.get("name", default) if isinstance(given, dict) else default
        if not isinstance(name, str) or name not in cards:
            raise InputError(f"{path}: {section}.name: {name!r}: want one of {', '.join(cards)}")
        names.append(name)
    return parse_card(_specialized(*names), raw, path)


@cache
def _specialized(encoder: str, objective: str) -> type[Card]:
    """`Card` with one encoder and one objective; equal names give the same class, so equal cards compare equal."""
    encoder_card, objective_card = ENCODER_CARDS[encoder], OBJECTIVE_CARDS[objective]
    return create_model(
        "Card",
        __base__=Card,
        encoder=(encoder_card, encoder_card()),
        objective=(objective_card, objective_card()),
    )


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
    card = card_from(raw, path)
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
