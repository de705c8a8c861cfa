"""Which modules of a Delphes card the candidates depend on, array by array."""

from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

from resim.common.errors import InputError
from resim.detector.calorimeter import Calorimeter
from resim.detector.card import Card, CardModule
from resim.detector.filters import PdgCodeFilter
from resim.detector.pileup import PileUpMerger
from resim.detector.pileup_subtraction import TrackPileUpSubtractor
from resim.detector.propagation import ParticlePropagator
from resim.detector.tracking import (
    Efficiency,
    EnergySmearing,
    ImpactParameterSmearing,
    Merger,
    MomentumSmearing,
    PassThrough,
    TrackSmearing,
)

CANDIDATES: Final = "EFlowMerger"
"""Module whose output is the particle flow; Delphes' cards agree on its name."""
GENERATED: Final = "Delphes/stableParticles"


class Module(Protocol):
    """A module that runs: `run(*arrays, stream=...)` gives one array for each of `outputs`, mostly `Objects`."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the arrays that it reads."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the arrays that it makes."""

    @property
    def run(self) -> Callable[..., tuple[Any, ...]]:
        """Make the arrays."""


_KINDS: Final[dict[str, Callable[[CardModule], Module]]] = {
    "ParticlePropagator": ParticlePropagator.from_card,
    "Efficiency": Efficiency.from_card,
    "MomentumSmearing": MomentumSmearing.from_card,
    "TrackSmearing": TrackSmearing.from_card,
    "ImpactParameterSmearing": ImpactParameterSmearing.from_card,
    "EnergySmearing": EnergySmearing.from_card,
    "TimeSmearing": PassThrough.from_card,
    "TimeOfFlight": PassThrough.from_card,
    "PdgCodeFilter": PdgCodeFilter.from_card,
    "Merger": Merger.from_card,
    "SimpleCalorimeter": Calorimeter.from_card,
    "Calorimeter": Calorimeter.from_card,
    "PileUpMerger": PileUpMerger.from_card,
    "TrackPileUpSubtractor": TrackPileUpSubtractor.from_card,
}
_NOT_SUPPORTED: Final = {
    "DenseTrackFilter": "keeps one track in each cell of a second propagation",
    "DualReadoutCalorimeter": "measures scintillation and Cherenkov light in the same towers",
    "TrackCovariance": "computes the errors of tracks from the layers of the tracker",
    "RunPUPPI": "weights candidates by their neighbours (PUPPI, arXiv:1407.6013)",
    "VertexFinderDA4D": "finds vertices from the times of tracks",
    "PhotonConversions": "turns photons into pairs in the material of the tracker",
    "OldCalorimeter": "is the calorimeter of Delphes before 3.1",
}
"""Classes that do more than candidates can stand for here, and what that is."""
_READ_PARTICLES: Final = (ParticlePropagator, PileUpMerger)
"""Classes whose input is generated particles; that of all others is what was propagated."""


def candidate_modules(card: Card) -> dict[str, Module]:
    """The modules that the candidates depend on, directly or not, in the order of the card.

    Dependencies are followed array by array, from the last module to the first: what makes an array that nobody reads
    is not looked at.

    Raises:
        InputError: a module is wrong, of a class that is not supported, or reads what nobody makes before.
    """
    if CANDIDATES not in card.by_name:
        raise InputError(
            f"{card.path}: ExecutionPath has no {CANDIDATES}, whose output would be the candidates; add it"
        )
    modules: dict[str, Module] = {}
    readers: dict[str, CardModule] = {}
    for source in reversed(card.modules):
        wanted = [array for array in readers if array.partition("/")[0] == source.name]
        if wanted or source.name == CANDIDATES:
            module = modules[source.name] = _module(source, wanted)
            readers |= {array: source for array in module.inputs if array not in readers}
    for array, reader in readers.items():
        if array != GENERATED and array.partition("/")[0] not in card.by_name:
            reader.fail(f"reads {array}, but ExecutionPath has no module {array.partition('/')[0]}")
    modules = dict(reversed(modules.items()))
    _check_order(card, modules)
    return modules


def _module(source: CardModule, wanted: Collection[str]) -> Module:
    """The module that runs, of which these outputs are wanted."""
    if reason := _NOT_SUPPORTED.get(source.kind):
        source.fail(f"{source.kind} {reason}, which is not supported, and {CANDIDATES} depends on it")
    if source.kind not in _KINDS:
        source.fail(f"class {source.kind} is not known and {CANDIDATES} depends on it; known: {', '.join(_KINDS)}")
    module = _KINDS[source.kind](source)
    return module.narrowed(wanted) if isinstance(module, TrackPileUpSubtractor) else module


def _check_order(card: Card, modules: dict[str, Module]) -> None:
    """Every array is made before it is read, and is of the kind that its reader wants."""
    made: dict[str, set[str]] = {"generated particles": {GENERATED}, "propagated objects": set(), "vertices": set()}
    for name, module in modules.items():
        source = card.by_name[name]
        for array in module.inputs:
            what = _wanted(module, array)
            if array not in made[what]:
                source.fail(f"reads {array}, which no earlier module of ExecutionPath makes as an array of {what}")
        if isinstance(module, PileUpMerger):
            made["generated particles"].add(module.outputs[0])
            made["vertices"].add(module.outputs[1])
        else:
            made["propagated objects"].update(module.outputs)


def _wanted(module: Module, array: str) -> str:
    """What a module wants one of its inputs to be an array of."""
    if isinstance(module, TrackPileUpSubtractor) and array == module.inputs[-1]:
        return "vertices"
    return "generated particles" if isinstance(module, _READ_PARTICLES) else "propagated objects"
