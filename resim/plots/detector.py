"""What a detector card does to single particles: efficiency, resolution and response.

`resim plot --detector cards/delphes/cms.tcl -o plots` draws it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resim.common.arrays import Floats
from resim.common.ragged import offsets_of
from resim.detector import Detector
from resim.particles import Candidates, Particles
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save

log = logging.getLogger(__name__)

_REGIONS: Final = ((0.0, 0.5), (0.5, 1.5), (1.5, 2.5), (2.5, 3.0), (3.0, 5.0))
_SHOTS: Final = 1000
"""Particles at every point of a curve: an efficiency has an error of at most 1.6 %."""
_SEED: Final = 1


@dataclass(frozen=True, slots=True)
class Species:
    """A kind of particle to shoot.

    Attributes:
        pdg_id: of the particle.
        charge: in units of e.
        mass: GeV (PDG 2024).
        name: in legends.
        found_as: tells its candidates from others.
    """

    pdg_id: int
    charge: int
    mass: float
    name: str
    found_as: Callable[[Candidates], npt.NDArray[np.bool_]]


def _is_track(candidates: Candidates) -> npt.NDArray[np.bool_]:
    return np.asarray(candidates.charge != 0)


def _is_photon(candidates: Candidates) -> npt.NDArray[np.bool_]:
    return np.asarray(candidates.pdg_id == 22)


def _is_neutral_hadron(candidates: Candidates) -> npt.NDArray[np.bool_]:
    return np.asarray(candidates.pdg_id == 0)


TRACKS: Final = (
    Species(211, 1, 0.13957, r"$\pi^+$", _is_track),
    Species(11, -1, 0.000511, r"$e^-$", _is_track),
    Species(13, -1, 0.10566, r"$\mu^-$", _is_track),
)
NEUTRALS: Final = (
    Species(22, 0, 0.0, r"$\gamma$", _is_photon),
    Species(130, 0, 0.49761, r"$K^0_L$", _is_neutral_hadron),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """Response to particles of several momenta, `(n_points,)` each.

    Attributes:
        x: pT of charged, energy of neutral particles, GeV.
        efficiency: fraction with a candidate of their kind.
        mean, spread: of measured / generated pT or energy of those found; NaN below 20 of them.
        d0_error, dz_error: mean errors of the impact parameters, mm; NaN likewise.
    """

    x: Floats
    efficiency: Floats
    mean: Floats
    spread: Floats
    d0_error: Floats
    dz_error: Floats


def shoot(detector: Detector, species: Species, x: Floats, region: tuple[float, float]) -> Curve:
    """Shoot 1000 particles at each point, spread evenly in phi and in |eta| of a region, each in its own event.

    Args:
        detector: the detector.
        species: kind of the particles.
        x: float64 `(n_points,)`, pT of charged, energy of neutral particles, GeV.
        region: range of |eta|.
    """
    generator = np.random.default_rng(_SEED)
    n = len(x) * _SHOTS
    eta = generator.uniform(*region, n) * generator.choice([-1, 1], n)
    phi, values = generator.uniform(-np.pi, np.pi, n), np.repeat(x, _SHOTS)
    momentum = np.sqrt(np.maximum(values**2 - species.mass**2, 1e-6))
    pt = values if species.charge else momentum / np.cosh(eta)
    found = detector.run(particles_of(species, pt, eta, phi), np.arange(n))
    chosen = species.found_as(found)
    shot = np.repeat(np.arange(n), np.diff(found.offsets))[chosen]
    response = (found.pt if species.charge else found.energy)[chosen] / values[shot]
    point = shot // _SHOTS
    mean = _means(point, response, len(x))
    spread = np.sqrt(np.maximum(_means(point, response**2, len(x)) - mean**2, 0))
    errors = (_means(point, column[chosen], len(x)) for column in (found.d0_err, found.dz_err))
    efficiency = np.bincount(np.unique(shot) // _SHOTS, minlength=len(x)) / _SHOTS
    return Curve(x, efficiency, mean, spread, *errors)


def particles_of(species: Species, pt: Floats, eta: Floats, phi: Floats) -> Particles:
    """Particles of a kind from the origin, each in its own event.

    Args:
        species: the kind.
        pt: float64 `(n,)`, GeV.
        eta: float64 `(n,)`.
        phi: float64 `(n,)`, rad.
    """
    pz, zeros = pt * np.sinh(eta), np.zeros(len(pt))
    return Particles(
        offsets=offsets_of(np.ones(len(pt), np.int64)),
        px=pt * np.cos(phi),
        py=pt * np.sin(phi),
        pz=pz,
        energy=np.sqrt(pt**2 + pz**2 + species.mass**2),
        mass=zeros + species.mass,
        pdg_id=np.full(len(pt), species.pdg_id, np.int32),
        charge=zeros + species.charge,
        vx=zeros,
        vy=zeros,
        vz=zeros,
    )


def _means(point: npt.NDArray[np.int64], values: Floats, n_points: int) -> Floats:
    """Means of the values at every point, NaN for fewer than 20."""
    counts = np.bincount(point, minlength=n_points)
    sums = np.bincount(point, weights=values, minlength=n_points)
    return np.where(counts >= 20, sums / np.maximum(counts, 1), np.nan)


def plot_detector(card: Path, output: Path) -> list[Path]:
    """Draw the efficiency, resolution and response of a Delphes card.

    Args:
        card: the card.
        output: folder for the pictures, created if missing.

    Returns:
        `detector_tracks.png`, `detector_calorimeters.png`, and `detector_impact_parameters.png` if the card smears
        impact parameters.

    Raises:
        InputError: the card is wrong.
    """
    detector = Detector.from_card(card)
    for note in (*detector.notes, *_left_out(detector)):
        log.warning("%s", note)
    output.mkdir(parents=True, exist_ok=True)
    pt, energy = np.geomspace(0.15, 500, 22), np.geomspace(0.6, 500, 20)
    tracks = {s.name: {r: shoot(detector, s, pt, r) for r in _REGIONS[:3]} for s in TRACKS}
    neutrals = {s.name: {r: shoot(detector, s, energy, r) for r in _REGIONS} for s in NEUTRALS}
    with hep_style():
        pictures = [
            _draw(tracks, r"$p_\mathrm{T}$", f"tracks, {literal(card.name)}", output / "detector_tracks.png"),
            _draw(neutrals, "$E$", f"neutral candidates, {literal(card.name)}", output / "detector_calorimeters.png"),
        ]
        if any(np.nansum(c.d0_error + c.dz_error) > 0 for curves in tracks.values() for c in curves.values()):
            pictures.append(
                _draw_impact_parameters(tracks[TRACKS[0].name], output / "detector_impact_parameters.png")
            )
    return pictures


def _left_out(detector: Detector) -> list[str]:
    """What of the card does not run."""
    kinds = (("not run", detector.left_out), ("passed over, as they change no candidate", detector.ignored))
    return [f"{detector.card}: {what}: {', '.join(names)}" for what, names in kinds if names]


def _draw(curves: dict[str, dict[tuple[float, float], Curve]], symbol: str, title: str, path: Path) -> Path:
    figure = Figure(figsize=(4.6 * len(curves), 10), layout="constrained")
    panels = figure.subplots(3, len(curves), squeeze=False, sharex=True, sharey="row")
    quantities = (
        ("efficiency", "efficiency"),
        ("mean", f"mean {symbol} / generated"),
        ("spread", f"spread of {symbol} / generated"),
    )
    for column, (name, regions) in enumerate(curves.items()):
        for row, (quantity, label) in enumerate(quantities):
            _lines(panels[row, column], regions, quantity)
            panels[row, 0].set_ylabel(label)
        panels[0, column].set_title(name, loc="left")
        panels[2, column].set_xlabel(f"generated {symbol} [GeV]")
    panels[0, 0].set_ylim(0, 1.25)
    panels[1, 0].set_ylim(0.7, 1.3)
    panels[2, 0].set(yscale="log", ylim=(5e-3, 3))
    panels[0, -1].legend(loc="lower right")
    figure.suptitle(title)
    return save(figure, path)


def _draw_impact_parameters(regions: dict[tuple[float, float], Curve], path: Path) -> Path:
    figure = Figure(figsize=(9.2, 4.4), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, quantity, label in zip(panels, ("d0_error", "dz_error"), ("$d_0$", "$d_z$"), strict=True):
        _lines(axes, regions, quantity)
        axes.set(yscale="log", xlabel=r"$p_\mathrm{T}$ [GeV]", ylabel=f"resolution of {label} [mm]")
    panels[0].legend()
    return save(figure, path)


def _lines(axes: Axes, regions: dict[tuple[float, float], Curve], quantity: str) -> None:
    for colour, ((low, high), curve) in zip(VIEW_COLOURS, regions.items(), strict=False):
        label = rf"{low:g} < $|\eta|$ < {high:g}"
        axes.plot(curve.x, getattr(curve, quantity), ".-", color=colour, label=label, markersize=5)
    axes.set_xscale("log")
    axes.grid(alpha=0.3)
