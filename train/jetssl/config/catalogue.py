"""What `jetssl encoders` and `jetssl objectives` list: names that a card can use, with their options."""

from collections.abc import Mapping
from typing import Final

from jetssl.config.card import ENCODER_CARDS, OBJECTIVE_CARDS
from jetssl.config.plugins import SECTIONS, Kind, Section
from resim.common import catalogue as common
from resim.common.catalogue import Choice

_BUILT_IN: Final[Mapping[Kind, Mapping[str, Section]]] = {"encoders": ENCODER_CARDS, "objectives": OBJECTIVE_CARDS}


def catalogue(kind: Kind) -> list[Choice]:
    """What jetssl has, then what installed packages add; one that is broken is listed with what is wrong."""
    own = [common.choice_of(name, "resim-jets", section) for name, section in _BUILT_IN[kind].items()]
    return common.catalogue(f"jetssl.{kind}", own, SECTIONS[kind])
