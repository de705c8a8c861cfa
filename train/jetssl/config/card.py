"""The training card: YAML, checked by frozen models, with `key=value` overrides.

Every key has a unit or a range; an unknown key, a value of the wrong kind or out of range is one line that names
the key, the value and what is allowed.
"""

from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self, get_args

import yaml
from pydantic import create_model, model_validator

from jetssl.config import plugins
from jetssl.config.data import CONSTITUENTS_ALONE, TYPED, DataCard, ViewsCard
from jetssl.config.encoders import EncoderCard, OmniLearnedCard, TransformerCard
from jetssl.config.objectives import AnomClrCard, HidingCard, NtXentCard, ObjectiveCard
from jetssl.config.projectors import ProjectorCard
from jetssl.config.training import WITHOUT_EFFECT, TrainingCard
from resim.common.cards import CardModel, find_file, parse_card, parse_yaml, read_yaml
from resim.common.errors import InputError

ENCODER_CARDS: dict[str, type[EncoderCard]] = {
    card.model_fields["name"].default: card for card in get_args(EncoderCard)
}
OBJECTIVE_CARDS: dict[str, type[ObjectiveCard]] = {
    card.model_fields["name"].default: card for card in get_args(ObjectiveCard)
}

_SPOILED = {"vertices": "take tracks from vertices", "tracks": "take cells of a particle and leave its track"}
"""What becomes of jets that lose constituents, by the last of `data.inputs`."""


class Card(CardModel):
    """A training card with every default filled in."""

    data: DataCard
    views: ViewsCard = ViewsCard()
    encoder: EncoderCard = TransformerCard()
    projector: ProjectorCard = ProjectorCard()
    objective: ObjectiveCard = NtXentCard()
    training: TrainingCard = TrainingCard()

    @model_validator(mode="after")
    def _inputs_fit(self) -> Self:
        inputs, changes = self.data.inputs, self.views.augmentations
        for name in ("vertices", "cells"):
            has = name in inputs
            if getattr(self.encoder, name, has) != has:
                raise ValueError(f"encoder.{name} is {not has}, data.inputs is {list(inputs)}: change one of them")
        if inputs == CONSTITUENTS_ALONE:
            return self
        if isinstance(self.objective, AnomClrCard):
            raise ValueError(
                f"data.inputs has {inputs[-1]}: the anomalies of objective anomclr would {_SPOILED[inputs[-1]]}; set"
                " it to [constituents]"
            )
        if self.views.source != "resim" and (changes.crop or changes.split_up_to):
            raise ValueError(f"views.augmentations: crop and split_up_to would {_SPOILED[inputs[-1]]}; set them to 0")
        return self

    @model_validator(mode="after")
    def _objects_have_types(self) -> Self:
        objective, features = self.objective, self.data.features
        if isinstance(objective, AnomClrCard) and objective.anomalies.of_events and features not in TYPED:
            raise ValueError(
                f"objective.anomalies of events ask what an object is, data.features {features} does not read it: set"
                " it to kinpid"
            )
        return self

    @model_validator(mode="after")
    def _constituents_of_live_views(self) -> "Card":
        others = [name for name in self.data.inputs if name != "constituents"]
        if self.views.source == "live" and others:
            raise ValueError(
                f"data.inputs has {others[0]}, which views.source live does not find anew: set it to [constituents]"
            )
        return self

    @model_validator(mode="after")
    def _omnilearned_reads_its_own(self) -> Self:
        features, normalize = self.data.feature_set, self.data.normalize
        if isinstance(self.encoder, OmniLearnedCard) and (features != "omnilearned" or normalize):
            raise ValueError(
                f"encoder omnilearned: data.features is {features}, data.normalize {str(normalize).lower()}; its"
                " layers know what each column means: set them to omnilearned and false"
            )
        return self

    @model_validator(mode="after")
    def _labels_for_whom_reads_them(self) -> "Card":
        if self.objective.reads_labels and not self.data.labelled:
            raise ValueError(f"objective {self.objective.name} reads labels, data.labelled is false; choose another")
        return self

    @model_validator(mode="after")
    def _partners_make_pairs(self) -> Self:
        objective = self.objective
        if self.views.pairing == "emd" and (objective.jets_per_row == 1 or objective.reads_labels):
            raise ValueError(
                f"views.pairing is emd: objective {objective.name} wants no pairs of jets of any class; choose"
                " another or set it to row"
            )
        return self

    @model_validator(mode="after")
    def _averaged_once(self) -> Self:
        name = self.objective.name
        if self.objective.epochs_compare:
            return self
        if self.training.ema is not None:
            raise ValueError(
                f"training.ema is {self.training.ema:g}: objective {name} keeps an average itself"
                " (objective.average); set training.ema to null"
            )
        if self.training.patience is not None:
            raise ValueError(
                f"training.patience is {self.training.patience}: the targets of objective {name} change, so losses of"
                " two epochs do not compare; set it to null"
            )
        return self

    @model_validator(mode="after")
    def _nothing_tells_what_is_hidden(self) -> Self:
        inputs = self.data.inputs
        if isinstance(self.objective, HidingCard) and inputs != CONSTITUENTS_ALONE:
            hidden = "cells" if "cells" in inputs else "tracks"
            raise ValueError(
                f"data.inputs has {inputs[-1]}, which tell of the hidden {hidden} that objective"
                f" {self.objective.name} guesses: set it to [constituents]"
            )
        return self

    @model_validator(mode="after")
    def _types_for_pid(self) -> Self:
        if isinstance(self.objective, HidingCard) and self.objective.pid and self.data.features not in TYPED:
            raise ValueError(
                f"objective.pid is {self.objective.pid:g}, data.features {self.data.features} has no types of"
                f" particles: set it to 0 or choose one of {', '.join(sorted(TYPED))}"
            )
        return self

    @property
    def needed_views(self) -> str:
        """What a row must have to train, in words."""
        if self.views.source in {"augment", "live"} or self.objective.jets_per_row == 1:
            return "a valid view that views.pairs names"
        return "two valid views that views.pairs allows"

    def trains_like(self, other: "Card") -> bool:
        """Whether a training of `other` may go on from one of this card: on other devices, or saved more often."""
        ours = {name: getattr(self.training, name) for name in WITHOUT_EFFECT}
        changes: dict[str, Any] = {"training": other.training.model_copy(update=ours)}
        if self.views.live and other.views.live:
            live = other.views.live.model_copy(update={"processes": self.views.live.processes})
            changes["views"] = other.views.model_copy(update={"live": live})
        return self == other.model_copy(update=changes)

    @property
    def packages(self) -> dict[str, str]:
        """Versions of the installed packages that encoder and objective are of, without jetssl."""
        named: tuple[tuple[plugins.Kind, str, Collection[str]], ...] = (
            ("encoders", self.encoder.name, ENCODER_CARDS),
            ("objectives", self.objective.name, OBJECTIVE_CARDS),
        )
        return dict(plugins.package_of(kind, name) for kind, name, own in named if name not in own)

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
    kinds: tuple[tuple[str, plugins.Kind, Collection[str]], ...] = (
        ("encoder", "encoders", ENCODER_CARDS),
        ("objective", "objectives", OBJECTIVE_CARDS),
    )
    for section, kind, own in kinds:
        given = sections.get(section)
        default = Card.model_fields[section].default.name
        name = given.get("name", default) if isinstance(given, dict) else default
        if not isinstance(name, str) or (name not in own and name not in plugins.names(kind)):
            known = ", ".join((*own, *plugins.names(kind)))
            raise InputError(
                f"{path}: {section}.name: {name!r}: want one of {known}, or install the package that has it"
            )
        names.append(name)
    return parse_card(_specialized(*names), raw, path)


@cache
def _specialized(encoder: str, objective: str) -> type[Card]:
    """`Card` with one encoder and one objective; equal names give the same class, so equal cards compare equal."""
    encoder_card = ENCODER_CARDS.get(encoder) or plugins.section_of("encoders", encoder)
    objective_card = OBJECTIVE_CARDS.get(objective) or plugins.section_of("objectives", objective)
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
    card = card_from(with_overrides(read_yaml(path), overrides, path), path)
    if not card.data.files:
        raise InputError(f"{path}: data.files: []: want one pair file at least")
    files = tuple(str(find_file(Path(name), path).resolve()) for name in card.data.files)
    changes: dict[str, Any] = {"data": card.data.model_copy(update={"files": files})}
    if card.views.live and card.views.live.detector:
        live = card.views.live.model_copy(update={"detector": find_file(card.views.live.detector, path).resolve()})
        changes["views"] = card.views.model_copy(update={"live": live})
    return card.model_copy(update=changes)


def with_overrides(raw: Any, overrides: Sequence[str], path: Path) -> dict[str, Any]:
    """What a card says, changed in place by `section.key=value` strings.

    Raises:
        InputError: the card has no sections, or an override is not of that form.
    """
    if not isinstance(raw, dict):
        raise InputError(f"{path}: holds {type(raw).__name__}, want a card with sections")
    for override in overrides:
        _apply(raw, override)
    return raw


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
    target[last] = parse_yaml(text, f"override {override[:100]!r}")
