"""Which modules of a Delphes card the candidates depend on, array by array."""

from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

from resim.common.errors import InputError
from resim.common.tcl.values import text_of
from resim.detector.angular_smearing import AngularSmearing
from resim.detector.calorimeter import Calorimeter
from resim.detector.card import Card, CardModule
from resim.detector.dense_tracks import DenseTrackFilter
from resim.detector.dual_readout import DualReadoutCalorimeter
from resim.detector.filters import PdgCodeFilter
from resim.detector.lineage import GENERATED, PASSING, generated_of, is_generated, mothers_of, walk
from resim.detector.pileup import PileUpMerger
from resim.detector.pileup_subtraction import RecoPuFilter, TrackPileUpSubtractor
from resim.detector.propagation import ParticlePropagator
from resim.detector.run_puppi import RunPUPPI
from resim.detector.tracking import (
    Efficiency,
    EnergySmearing,
    ImpactParameterSmearing,
    Merger,
    MomentumSmearing,
    PassThrough,
    TrackSmearing,
)

CANDIDATES: Final = ("RunPUPPI", "EFlowMerger")
"""Modules whose first output is the particle flow, the first that a card has; Delphes' cards agree on their names.

Jets of a card with RunPUPPI read its particles; its EFlowMerger holds the same ones before they are weighted.
"""


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
    "AngularSmearing": AngularSmearing.from_card,
    "TimeSmearing": PassThrough.from_card,
    "TimeOfFlight": PassThrough.from_card,
    "PdgCodeFilter": PdgCodeFilter.from_card,
    "Merger": Merger.from_card,
    "SimpleCalorimeter": Calorimeter.from_card,
    "Calorimeter": Calorimeter.from_card,
    "DualReadoutCalorimeter": DualReadoutCalorimeter.from_card,
    "DenseTrackFilter": DenseTrackFilter.from_card,
    "RecoPuFilter": RecoPuFilter.from_card,
    "RunPUPPI": RunPUPPI.from_card,
    "PileUpMerger": PileUpMerger.from_card,
    "TrackPileUpSubtractor": TrackPileUpSubtractor.from_card,
}
_NOT_SUPPORTED: Final = {
    "TrackCovariance": "computes the errors of tracks from the layers of the tracker",
    "VertexFinderDA4D": "finds vertices from the times of tracks",
    "PhotonConversions": "turns photons into pairs in the material of the tracker",
    "OldCalorimeter": "is the calorimeter of Delphes before 3.1",
}
"""Classes that do more than candidates can stand for here, and what that is."""
_READ_MARKS: Final = (RunPUPPI, RecoPuFilter)
"""Classes that want to know which tracks a TrackPileUpSubtractor took for pile-up."""


def candidate_modules(card: Card) -> dict[str, Module]:
    """The modules that the candidates depend on, directly or not, in the order of the card.

    Dependencies are followed array by array, from the last module to the first: what makes an array that nobody reads
    is not looked at.

    Raises:
        InputError: a module is wrong, of a class that is not supported, or reads what nobody makes before.
    """
    last = candidates_module(card)
    modules: dict[str, Module] = {}
    readers: dict[str, CardModule] = {}
    for source in reversed(card.modules):
        marks = any(isinstance(module, _READ_MARKS) for module in modules.values())
        wanted = _wanted_of(source, readers, marks)
        if wanted or source.name == last:
            module = modules[source.name] = _module(card, source, wanted, last)
            readers |= {array: source for array in module.inputs if array not in readers}
    for array, reader in readers.items():
        if array != GENERATED and array.partition("/")[0] not in card.by_name:
            reader.fail(f"reads {array}, but ExecutionPath has no module {array.partition('/')[0]}")
    modules = dict(reversed(modules.items()))
    _check_order(card, modules)
    _check_dense_tracks(card, modules)
    return modules


def candidates_module(card: Card) -> str:
    """Name of the module whose first output is the candidates of a card.

    Raises:
        InputError: the card has none.
    """
    for name in CANDIDATES:
        if name in card.by_name:
            return name
    raise InputError(f"{card.path}: ExecutionPath has no EFlowMerger, whose output would be the candidates; add it")


def _wanted_of(source: CardModule, readers: Collection[str], marks: bool) -> list[str]:
    """The arrays that a module makes, or marks for those that read marks, and that others read."""
    wanted = [array for array in readers if array.partition("/")[0] == source.name]
    if marks and source.kind == "TrackPileUpSubtractor":
        wanted += [text_of(array) for array, _ in source.pairs("InputArray") if text_of(array) in readers]
    return wanted


def _module(card: Card, source: CardModule, wanted: Collection[str], last: str) -> Module:
    """The module that runs, of which these outputs are wanted."""
    if reason := _NOT_SUPPORTED.get(source.kind):
        source.fail(f"{source.kind} {reason}, which is not supported, and {last} depends on it")
    if source.kind not in _KINDS:
        source.fail(f"class {source.kind} is not known and {last} depends on it; known: {', '.join(_KINDS)}")
    if source.name in card.repeated:
        source.fail(f"ExecutionPath names {source.name} twice, and {last} depends on it; remove one")
    module = _KINDS[source.kind](source)
    if isinstance(module, TrackPileUpSubtractor | ParticlePropagator):
        module = module.narrowed(wanted)
    if isinstance(module, ParticlePropagator) and not is_generated(card, module.inputs[0]):
        generated = generated_of(card, module.inputs[0])
        return module.after(generated) if generated else module
    if isinstance(module, DenseTrackFilter):
        return module.among(_mothers(card, source, module.inputs[0]))
    return module


def _mothers(card: Card, source: CardModule, array: str) -> tuple[str, ...]:
    """The arrays from which a DenseTrackFilter takes what it hands on; none if these are generated particles."""
    mothers = mothers_of(card, array)
    if not mothers:
        source.fail(f"reads {array}, which no module makes from others")
    return () if any(is_generated(card, mother) for mother in mothers) else mothers


def _check_dense_tracks(card: Card, modules: dict[str, Module]) -> None:
    """A DenseTrackFilter behind the first propagation hands on generated particles, so a propagator must be next."""
    outputs = {
        output
        for module in modules.values()
        if isinstance(module, DenseTrackFilter) and len(module.inputs) == 1
        for output in module.outputs
    }
    for name, module in modules.items():
        kind = card.by_name[name].kind
        if (kind not in PASSING or name == [*modules][-1]) and not isinstance(module, ParticlePropagator):
            for array in module.inputs:
                if outputs & set(walk(card, [array])[1]):
                    card.by_name[name].fail(f"reads {array}, tracks of a DenseTrackFilter that were not propagated")


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
    if array == module.inputs[-1] and isinstance(module, TrackPileUpSubtractor | RunPUPPI):
        return "vertices"
    if array == module.inputs[-1] and isinstance(module, ParticlePropagator | PileUpMerger):
        return "generated particles"
    return "propagated objects"
