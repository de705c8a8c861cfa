"""From which arrays the objects of an array come, as every object of Delphes knows (`Candidate::GetCandidates`)."""

from collections.abc import Collection, Iterable
from typing import Final

from resim.common.tcl.values import text_of
from resim.detector.card import Card, CardModule

GENERATED: Final = "Delphes/stableParticles"
_INPUTS: Final = {"SimpleCalorimeter": "TrackInputArray", "Calorimeter": "TrackInputArray"} | {
    "DualReadoutCalorimeter": "TrackInputArray",
    "DenseTrackFilter": "TrackInputArray",
}
"""Parameter with the array of tracks that a class reads, if it is not `InputArray`."""
_SUBTRACTOR: Final = "TrackPileUpSubtractor"
PASSING: Final = ("Merger", "Efficiency", "PdgCodeFilter", "RecoPuFilter", _SUBTRACTOR)
"""Classes that hand on the objects themselves; all others make new ones."""


def is_generated(card: Card, array: str) -> bool:
    """Whether an array is of generated particles."""
    owner = card.by_name.get(array.partition("/")[0])
    return array == GENERATED or (owner is not None and owner.kind == "PileUpMerger")


def sources_of(card: Card, array: str) -> tuple[str, ...]:
    """The arrays from which a module makes this one; none for what no module of the card makes."""
    name, _, output = array.partition("/")
    owner = card.by_name.get(name)
    if owner is None:
        return ()
    parameter = _INPUTS.get(owner.kind, "InputArray")
    if parameter not in owner.parameters:
        return (GENERATED,) if owner.kind == "ParticlePropagator" else ()
    if owner.kind == _SUBTRACTOR:
        return tuple(text_of(source) for source, made in owner.pairs(parameter) if text_of(made) == output)
    return tuple(text_of(item) for item in owner.items(parameter))


def generated_of(card: Card, array: str) -> str | None:
    """The array of generated particles from which all objects of an array come; None if there is no such."""
    seen: set[str] = set()
    while array not in seen:
        if is_generated(card, array):
            return array
        seen.add(array)
        array = next(iter(sources_of(card, array)), array)
    return None


def walk(card: Card, arrays: Iterable[str], ends: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """All arrays through which the objects of some arrays were handed on, and those in which they were made.

    Args:
        card: the card.
        arrays: names of the arrays.
        ends: arrays behind which not to look.

    Returns:
        Arrays whose objects others made, and arrays that hold new objects or are one of the ends.
    """
    passed, made, waiting = [], [], list(arrays)
    while waiting:
        name = waiting.pop(0)
        if name in passed or name in made:
            continue
        owner = card.by_name.get(name.partition("/")[0])
        if name not in ends and owner is not None and owner.kind in PASSING:
            passed.append(name)
            waiting += sources_of(card, name)
        else:
            made.append(name)
    return passed, made


def mothers_of(card: Card, array: str) -> tuple[str, ...]:
    """The arrays of the objects from which the last module that makes new ones made those of an array."""
    _, made = walk(card, [array])
    return tuple(dict.fromkeys(source for name in made for source in sources_of(card, name)))


def marks_on(card: Card, array: str, reader: CardModule) -> bool:
    """Whether a TrackPileUpSubtractor marks the objects of an array before a module reads them.

    Raises:
        InputError: it marks them only in another array that holds the same objects, which would be lost here.
    """
    order = [module.name for module in card.modules]
    before = [module for module in card.modules[: order.index(reader.name)] if module.kind == _SUBTRACTOR]
    found = False
    for subtractor in before:
        marked = [text_of(name) for name, _ in subtractor.pairs("InputArray")]
        same = set(walk(card, marked)[1]) & set(walk(card, [array])[1])
        passed, made = walk(card, [array], marked)
        late = all(order.index(name.partition("/")[0]) > order.index(subtractor.name) for name in passed)
        if same and not (late and same.isdisjoint(set(made) - set(marked))):
            reader.fail(
                f"reads {array}, whose tracks {subtractor.name} marks elsewhere; let both read the same array"
            )
        found |= bool(same)
    return found
