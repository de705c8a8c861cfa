"""Which tracks are found and how well they are measured: efficiency, momentum and track-parameter resolution."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from resim.common.arrays import Floats
from resim.common.tcl.values import text_of
from resim.detector.card import CardModule
from resim.detector.formula import Formula
from resim.detector.objects import Objects, concatenate
from resim.detector.random import Stream

KINEMATICS: Final = ("pt", "eta", "phi", "energy")
_TRACK_VARIABLES: Final = (*KINEMATICS, "d0", "dz", "ctgTheta")


def lognormal(mean: Floats, sigma: Floats, normal: Floats) -> Floats:
    """Log-normal random numbers with a given mean and standard deviation.

    Args:
        mean: float64 `(n,)`, any unit.
        sigma: float64 `(n,)`, standard deviation in the same unit.
        normal: float64 `(n,)`, standard normal random numbers.

    Returns:
        float64 `(n,)`; 0 where the mean is not above 0.
    """
    positive = mean > 0
    safe = np.where(positive, mean, 1.0)
    b2 = np.log1p((sigma / safe) ** 2)
    return np.where(positive, safe * np.exp(np.sqrt(b2) * normal - b2 / 2), 0.0)


def finite(module: CardModule, parameter: str, values: Floats, columns: Mapping[str, Floats]) -> Floats:
    """Check that the values of a formula are finite.

    Args:
        module: the module of the card.
        parameter: name of the parameter that holds the formula.
        values: float64 `(n,)`, values of the formula.
        columns: float64 `(n,)` each, the variables.

    Returns:
        `values`.

    Raises:
        InputError: names the formula and the variables for which its value is not finite.
    """
    if not np.isfinite(values).all():
        i = int(np.flatnonzero(~np.isfinite(values))[0])
        where = ", ".join(f"{name} = {column[i]:g}" for name, column in columns.items())
        module.fail(f"the formula gives {values[i]} for {where}; want a finite number", parameter)
    return values


def evaluate(module: CardModule, parameter: str, formula: Formula, tracks: Objects, *, outer: bool) -> Floats:
    """Value of a formula for every track, float64 `(n_tracks,)`.

    Args:
        module: the module of the card.
        parameter: name of the parameter that holds the formula.
        formula: the formula.
        tracks: the tracks.
        outer: whether eta and phi are those of the point where the track leaves the tracker, or of the momentum.
    """
    columns = _columns(tracks, formula.variables, outer=outer)
    return finite(module, parameter, formula(columns, len(tracks)), columns)


def _columns(tracks: Objects, names: Collection[str], *, outer: bool) -> dict[str, Floats]:
    renamed = {"ctgTheta": "slope"} | ({"eta": "outer_eta", "phi": "outer_phi"} if outer else {})
    return {name: getattr(tracks, renamed.get(name, name)) for name in sorted(names)}


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Keeps a track with the probability that a formula gives."""

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    formula: Formula
    outer: bool

    @classmethod
    def from_card(cls, module: CardModule) -> "Efficiency":
        """Read the module's parameters."""
        formula = module.formula("EfficiencyFormula", KINEMATICS, "1.0")
        return cls(module.without_values(), *ends_of(module), formula, not module.flag("UseMomentumVector", False))

    def run(self, tracks: Objects, stream: Stream) -> tuple[Objects, ...]:
        """The tracks that are found."""
        efficiency = evaluate(self.module, "EfficiencyFormula", self.formula, tracks, outer=self.outer)
        kept = efficiency >= 1
        chance = np.flatnonzero((efficiency > 0) & ~kept)
        uniform, _ = stream.uniform(tracks.event[chance], tracks.item[chance], 0)
        kept[chance] = uniform < efficiency[chance]
        return (tracks.select(kept),)


@dataclass(frozen=True, slots=True)
class MomentumSmearing:
    """Smears pT log-normally; a formula gives the relative resolution, at most 1. Directions stay."""

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    formula: Formula
    outer: bool

    @classmethod
    def from_card(cls, module: CardModule) -> "MomentumSmearing":
        """Read the module's parameters."""
        formula = module.formula("ResolutionFormula", KINEMATICS, "0.0")
        return cls(module.without_values(), *ends_of(module), formula, not module.flag("UseMomentumVector", False))

    def run(self, tracks: Objects, stream: Stream) -> tuple[Objects, ...]:
        """The tracks as measured, with their resolution, which calorimeters use."""
        resolution = evaluate(self.module, "ResolutionFormula", self.formula, tracks, outer=self.outer)
        resolution = np.minimum(resolution, 1)
        pt = lognormal(tracks.pt, resolution * tracks.pt, stream.normal(tracks.event, tracks.item, 0))
        return (replace(tracks.with_pt(pt), resolution=resolution),)


@dataclass(frozen=True, slots=True)
class EnergySmearing:
    """Smears the energy with a normal number; a formula gives its standard deviation in GeV. Directions stay.

    What comes out without energy is lost; below its mass it has no momentum.
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    formula: Formula

    @classmethod
    def from_card(cls, module: CardModule) -> "EnergySmearing":
        """Read the module's parameters."""
        return cls(module.without_values(), *ends_of(module), module.formula("ResolutionFormula", KINEMATICS, "0.0"))

    def run(self, objects: Objects, stream: Stream) -> tuple[Objects, ...]:
        """The objects as measured, with their resolution, which calorimeters use."""
        sigma = evaluate(self.module, "ResolutionFormula", self.formula, objects, outer=True)
        energy = objects.energy + sigma * stream.normal(objects.event, objects.item, 0)
        momentum = np.sqrt(np.maximum(energy**2 - objects.mass**2, 0))
        smeared = replace(objects, energy=energy, pt=momentum / np.sqrt(1 + objects.slope**2))
        resolution = evaluate(self.module, "ResolutionFormula", self.formula, smeared, outer=True) / objects.energy
        return (replace(smeared, resolution=resolution).select(energy > 0),)


@dataclass(frozen=True, slots=True)
class TrackSmearing:
    """Smears d0, dz, p, cot(theta) and phi with independent normal numbers.

    As in Delphes, the *generated* momentum is smeared, so MomentumSmearing belongs after this module. Tracks with a
    negative resolution or a negative smeared momentum are lost.
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    formulas: Mapping[str, Formula]

    @classmethod
    def from_card(cls, module: CardModule) -> "TrackSmearing":
        """Read the module's parameters."""
        formulas = {}
        for parameter in (f"{name}ResolutionFormula" for name in ("D0", "DZ", "P", "CtgTheta", "Phi")):
            if module.text(parameter, "0.0") == "0.0":
                module.fail(
                    "0.0 asks Delphes for a histogram; write { 0.0 } for no smearing, or a formula", parameter
                )
            formulas[parameter] = module.formula(parameter, _TRACK_VARIABLES)
        return cls(module.without_values(), *ends_of(module), formulas)

    def run(self, tracks: Objects, stream: Stream) -> tuple[Objects, ...]:
        """The tracks with measured parameters."""
        sigmas = [evaluate(self.module, p, formula, tracks, outer=False) for p, formula in self.formulas.items()]
        shifts = [
            sigma * stream.normal(tracks.event, tracks.item, draw) if sigma.any() else sigma
            for draw, sigma in enumerate(sigmas)
        ]
        momentum = tracks.true_pt * np.sqrt(1 + tracks.slope**2) * (1 + shifts[2])
        slope, phi = tracks.slope + shifts[3], tracks.phi + shifts[4]
        measured = replace(
            tracks,
            d0=tracks.d0 + shifts[0],
            dz=tracks.dz + shifts[1],
            d0_err=sigmas[0],
            dz_err=sigmas[1],
            slope=slope,
            ux=np.where(sigmas[4] == 0, tracks.ux, np.cos(phi)),
            uy=np.where(sigmas[4] == 0, tracks.uy, np.sin(phi)),
            resolution=np.divide(sigmas[2], 1 + shifts[2], out=np.zeros(len(tracks)), where=momentum > 0),
        )
        kept = (np.min(sigmas, axis=0) >= 0) & (momentum >= 0)
        return (measured.with_pt(momentum / np.sqrt(1 + slope**2)).select(kept),)


@dataclass(frozen=True, slots=True)
class ImpactParameterSmearing:
    """Smears d0 with the resolution that a formula of the generated momentum gives, in mm.

    The error of d0 is this resolution; Delphes stores a random number instead.
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    formula: Formula

    @classmethod
    def from_card(cls, module: CardModule) -> "ImpactParameterSmearing":
        """Read the module's parameters."""
        return cls(module.without_values(), *ends_of(module), module.formula("ResolutionFormula", KINEMATICS, "0.0"))

    def run(self, tracks: Objects, stream: Stream) -> tuple[Objects, ...]:
        """The tracks with a measured d0."""
        sigma = evaluate(self.module, "ResolutionFormula", self.formula, tracks.with_pt(tracks.true_pt), outer=False)
        shift = sigma * stream.normal(tracks.event, tracks.item, 0)
        return (replace(tracks, d0=tracks.d0 + shift, d0_err=sigma),)


@dataclass(frozen=True, slots=True)
class Merger:
    """Joins arrays of objects."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def from_card(cls, module: CardModule) -> "Merger":
        """Read the module's parameters."""
        inputs = tuple(text_of(name) for name in module.items("InputArray"))
        return cls(inputs, (f"{module.name}/{module.text('OutputArray', 'candidates')}",))

    def run(self, *arrays: Objects, stream: Stream) -> tuple[Objects, ...]:  # noqa: ARG002
        """All objects, array after array."""
        return (concatenate(arrays),)


@dataclass(frozen=True, slots=True)
class PassThrough:
    """Copies tracks: for modules that change nothing that candidates have, such as TimeSmearing or TimeOfFlight."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def from_card(cls, module: CardModule) -> "PassThrough":
        """Read the names of input and output."""
        return cls(*ends_of(module))

    def run(self, tracks: Objects, stream: Stream) -> tuple[Objects, ...]:  # noqa: ARG002
        """The same tracks."""
        return (tracks,)


def ends_of(module: CardModule) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the input and the output array of a module with one of each, and Delphes' defaults."""
    source = module.text("InputArray", "ParticlePropagator/stableParticles")
    return (source,), (f"{module.name}/{module.text('OutputArray', 'stableParticles')}",)
