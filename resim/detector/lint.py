"""What in a Delphes card is allowed, but hardly meant."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final, Protocol

from resim.common.tcl.values import text_of
from resim.detector.card import Card, CardModule
from resim.detector.lineage import marks_on, walk

_BOUND: Final = re.compile(r"((?:abs\(\w+\))|\w+)\s*(<=|>=|<|>)\s*(-?[\d.]+(?:e[-+]?\d+)?)", re.IGNORECASE)


_READ_MARKS: Final = ("RunPUPPI", "RecoPuFilter")
"""Classes that want to know which tracks are of pile-up."""


class _Reads(Protocol):
    """Anything that reads arrays."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the arrays."""


def notes_on(card: Card, modules: Mapping[str, _Reads]) -> Iterator[str]:
    """One sentence for each oddity of the modules that candidates depend on.

    Args:
        card: the card.
        modules: the modules by name.
    """
    for name, module in modules.items():
        source = card.by_name[name]
        place = f"{source.card}:{source.line}: {name}"
        if source.kind == "TrackSmearing":
            yield from _lost_smearing(place, source, card, modules, module)
        if source.kind in _READ_MARKS and not marks_on(card, next(iter(module.inputs)), source):
            yield f"{place}: no TrackPileUpSubtractor marks tracks before it, so all count as of the hard vertex"
        if source.kind == "DenseTrackFilter":
            yield from _lost_modules(place, source, card)
        for parameter, value in source.parameters.items():
            if parameter.endswith("Formula"):
                yield from (f"{place}.{parameter}: {text} is never true" for text in _never(text_of(value)))


def _lost_smearing(
    place: str, source: CardModule, card: Card, modules: Mapping[str, _Reads], module: _Reads
) -> Iterator[str]:
    before = {card.by_name[name].kind: name for name in _above(module, modules)}
    if "MomentumSmearing" in before:
        formula = source.text("PResolutionFormula", "0.0").strip()
        measured = "measures momenta exactly" if formula in ("0.0", "0") else f"smears momenta by {formula[:40]}"
        yield (
            f"{place}: starts from the generated momentum, so {before['MomentumSmearing']} before it has no effect,"
            f" and {measured}; put MomentumSmearing behind it"
        )


def _lost_modules(place: str, source: CardModule, card: Card) -> Iterator[str]:
    """The modules whose work a DenseTrackFilter undoes, for it hands on what its input was made from."""
    _, made = walk(card, [source.text("TrackInputArray", "TrackMergerProp/tracks")])
    makers = [card.by_name[name.partition("/")[0]] for name in made if name.partition("/")[0] in card.by_name]
    if lost := [maker.name for maker in makers if maker.kind != "ParticlePropagator"]:
        yield f"{place}: hands on tracks as they were before {', '.join(lost)}, which has no effect; put it in front"


def _above(module: _Reads, modules: Mapping[str, _Reads]) -> Iterator[str]:
    """Names of all modules from which a module gets its arrays, directly or not."""
    for name in dict.fromkeys(array.partition("/")[0] for array in module.inputs):
        if name in modules:
            yield name
            yield from _above(modules[name], modules)


def _never(formula: str) -> Iterator[str]:
    """Conditions of a formula that no number fulfils, such as `pt > 2.0 && pt <= 1.0`."""
    for condition in re.split(r"[*+]|\|\|", formula):
        for first, second in pairwise(_BOUND.finditer(condition)):
            low, high = (first, second) if first[2].startswith(">") else (second, first)
            opposite = first[1] == second[1] and low[2].startswith(">") and high[2].startswith("<")
            touch = low[2] == ">=" and high[2] == "<="
            if opposite and (float(low[3]) > float(high[3]) or (float(low[3]) == float(high[3]) and not touch)):
                yield " ".join(f"{first[0]} && {second[0]}".split())
