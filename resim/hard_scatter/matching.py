"""Which matching or merging with a shower the events of an LHE file were made for, as their header says."""

import re
from dataclasses import dataclass
from typing import Final

_RUN_CARD: Final = r"^\s*([^\s#!]+)\s*=\s*{name}\b"
"""A line of MadGraph's run card: `value = name ! comment`."""
_SCHEMES: Final = {"1": "MLM", "2": "CKKW", "3": "FxFx"}
"""`ickkw` of MadGraph's run card."""

_FROM_SCALUP: Final = ("SpaceShower:pTmaxMatch = 1", "TimeShower:pTmaxMatch = 1")
_GLOBAL_RECOIL: Final = (
    *_FROM_SCALUP,
    "SpaceShower:pTmaxFudge = 1.",
    "SpaceShower:MEcorrections = off",
    "TimeShower:pTmaxFudge = 1.",
    "TimeShower:MEcorrections = off",
    "TimeShower:globalRecoil = on",
    "TimeShower:limitPTmaxGlobal = on",
    "TimeShower:nMaxGlobalRecoil = 1",
    "TimeShower:globalRecoilMode = 2",
    "TimeShower:nMaxGlobalBranch = 1",
    "TimeShower:weightGluonToQuark = 1",
)
"""What the subtraction of aMC@NLO assumes of Pythia (Pythia manual, aMC@NLO Matching)."""


@dataclass(frozen=True, slots=True)
class Matching:
    """What a sample needs of its shower.

    Attributes:
        scheme: its name, with what in the header says so.
        settings: the settings of Pythia that do it; empty if resim cannot do it.
        preset: the card that has them.
    """

    scheme: str
    settings: tuple[str, ...] = ()
    preset: str = ""

    def missing(self, lines: tuple[str, ...]) -> list[str]:
        """The settings that lines of a card do not make; the last line that sets a name counts."""
        made = dict(map(_pair, lines))
        return [setting for setting in self.settings if not _same(made.get(_pair(setting)[0]), _pair(setting)[1])]


def matching_of(header: str, generator: str) -> Matching | None:
    """The matching that a header tells of, None for none.

    Args:
        header: text before the init block.
        generator: name and version that the init block gives.
    """
    if (scheme := _value(header, "ickkw")) in _SCHEMES:
        return Matching(
            f"{_SCHEMES[scheme]} matching (ickkw = {scheme}, xqcut = {_value(header, 'xqcut') or 'unset'})"
        )
    for name in ("ktdurham", "ptlund"):
        if _positive(value := _value(header, name)):
            return Matching(f"CKKW-L merging ({name} = {value})")
    if shower := _value(header, "parton_shower"):
        scheme = f"aMC@NLO with the shower {shower}"
        if shower.upper() == "PYTHIA8":
            return Matching(scheme, _GLOBAL_RECOIL, "cards/pythia/amcatnlo_global_recoil.cmnd")
        return Matching(scheme)
    if re.search(r"powheg", f"{header}\n{generator}", re.IGNORECASE):
        return Matching("POWHEG (its header names it)", _FROM_SCALUP, "cards/pythia/powheg.cmnd")
    return None


def _value(header: str, name: str) -> str:
    found = re.search(_RUN_CARD.format(name=name), header, re.MULTILINE | re.IGNORECASE)
    return found[1].strip("'\"") if found else ""


def _positive(value: str) -> bool:
    try:
        return float(value.lower().replace("d", "e")) > 0
    except ValueError:
        return False


def _pair(line: str) -> tuple[str, str]:
    """Name and value of a setting, in lower case."""
    name, _, value = line.partition("=")
    return name.strip().lower(), value.strip().lower()


def _same(made: str | None, wanted: str) -> bool:
    switches = {
        "on": "on",
        "true": "on",
        "yes": "on",
        "1": "on",
        "off": "off",
        "false": "off",
        "no": "off",
        "0": "off",
    }
    if made is None:
        return False
    try:
        return float(made) == float(wanted)
    except ValueError:
        return switches.get(made, made) == switches.get(wanted, wanted)
