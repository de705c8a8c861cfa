"""What a calorimeter of cells does to single particles: response, resolution, and the shapes of showers.

`resim plot --detector cards/calorimeter/cocoa.yaml -o plots` draws it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import nnls

from resim.common.angles import wrap
from resim.common.arrays import Booleans, Floats
from resim.detector.cells.cell_detector import CellDetector
from resim.detector.cells.readout import Readout
from resim.plots.detector import NEUTRALS, TRACKS, Species, particles_of
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save

_ABS_ETA_MAX: Final = 1.2
"""Particles of the barrel are shot, where no shower leaves through its end."""
_CONE: Final = 0.4
"""Clusters within this distance of a particle are its own; jets of the talk have this radius."""
_FIT_ENERGIES: Final = (4.0, 64.0)
"""GeV; below, clusters lose what is under their thresholds, and above, photons lose what is behind 22 radiation
lengths: neither is resolution."""
_SEED: Final = 1
_SHOTS: Final = 1000
"""Particles at every energy."""

SPECIES: Final = (NEUTRALS[0], TRACKS[1], TRACKS[0], NEUTRALS[1])
"""Photons, electrons, charged pions and long-lived neutral kaons."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """sigma / E = a / sqrt(E / GeV) + b + c GeV / E, added in quadrature, with statistical errors of a, b and c."""

    a: float
    b: float
    c: float
    errors: tuple[float, float, float]

    def __call__(self, energy: Floats) -> Floats:
        """The relative resolution at some energies, float64 `(n,)`, GeV."""
        return np.sqrt(self.a**2 / energy + self.b**2 + (self.c / energy) ** 2)


@dataclass(frozen=True, slots=True)
class Showers:
    """Particles of one kind at several energies, as the calorimeter sees them.

    Attributes:
        energy: float64 `(n_points,)`, GeV.
        response: float64 `(n_points,)`, mean energy of the clusters over that energy.
        spread: float64 `(n_points,)`, standard deviation of the energy over its mean.
        n_clusters: float64 `(n_points,)`, mean number of clusters.
        layers: float64 `(n_points, n_layers)`, fractions of the energy.
        radius: float64 `(n_points, n_radii)`, fraction of the energy of cells whose centres lie within `RADII` of the
            barycentre.
        resolution: fitted from 4 to 64 GeV.
    """

    energy: Floats
    response: Floats
    spread: Floats
    n_clusters: Floats
    layers: Floats
    radius: Floats
    resolution: Resolution


RADII: Final = np.linspace(0, 0.4, 41)
"""Distances in pseudorapidity and azimuth."""


def shoot_showers(detector: CellDetector, species: Species, energy: Floats, shots: int) -> Showers:
    """Shoot particles at several energies into the barrel, each in its own event.

    Args:
        detector: the detector.
        species: kind of the particles.
        energy: float64 `(n_points,)`, GeV.
        shots: particles at every energy.
    """
    points = [_point(detector, species, value, shots) for value in energy]
    response, spread, n_clusters, layers, radius = (np.array(column) for column in zip(*points, strict=True))
    fitted = (energy >= _FIT_ENERGIES[0]) & (energy <= _FIT_ENERGIES[1])
    resolution = fit_resolution(energy[fitted], spread[fitted], shots)
    return Showers(energy, response, spread, n_clusters, layers, radius, resolution)


def fit_resolution(energy: Floats, spread: Floats, shots: int) -> Resolution:
    """Fit of the three terms to relative resolutions; no term is imaginary.

    The squares are fitted, each with the relative error sqrt(2 / shots) of the variance of a normal distribution.

    Args:
        energy: float64 `(n_points,)`, GeV.
        spread: float64 `(n_points,)`.
        shots: particles behind every point.
    """
    terms = np.stack([1 / energy, np.ones(len(energy)), 1 / energy**2], axis=1)
    relative = terms / spread[:, None] ** 2
    squares, _ = nnls(relative, np.ones(len(energy)))
    of_squares = np.sqrt(2 / shots * np.diag(np.linalg.inv(relative.T @ relative)))
    a, b, c = np.sqrt(squares)
    errors = of_squares / np.maximum(2 * np.sqrt(squares), np.sqrt(of_squares))  # the latter for terms near 0
    return Resolution(a, b, c, (errors[0], errors[1], errors[2]))


def _point(
    detector: CellDetector, species: Species, energy: float, shots: int
) -> tuple[float, float, float, Floats, Floats]:
    """Response, spread, number of clusters, layer fractions and radial profile at one energy."""
    generator = np.random.default_rng(_SEED)
    eta = generator.uniform(-_ABS_ETA_MAX, _ABS_ETA_MAX, shots)
    momentum = np.sqrt(max(energy**2 - species.mass**2, 1e-6))
    phi = generator.uniform(-np.pi, np.pi, shots)
    found = detector.read_out(particles_of(species, momentum / np.cosh(eta), eta, phi), np.arange(shots))
    own = _own_clusters(found, shots)
    total = np.bincount(found.clusters.event[own], found.clusters.energy[own], shots)
    layers = found.clusters.layer_energy[own].sum(axis=0)
    mean = float(total.mean())
    return mean / energy, float(total.std()) / mean, own.sum() / shots, layers / layers.sum(), _profile(found, own)


def _own_clusters(found: Readout, shots: int) -> Booleans:
    """Which clusters lie about the hardest one of their event, bool `(n_clusters,)`."""
    clusters = found.clusters
    hardest = np.zeros(shots, np.int64)
    order = np.argsort(clusters.energy)
    hardest[clusters.event[order]] = order
    axis = hardest[clusters.event]
    distance = np.hypot(clusters.eta - clusters.eta[axis], wrap(clusters.phi - clusters.phi[axis]))
    return np.asarray(distance < _CONE)


def _profile(found: Readout, own: Booleans) -> Floats:
    """Fraction of the energy of the cells within distances from their barycentre, float64 `(n_radii,)`."""
    hits, clusters = found.hits, found.clusters
    mine = own[hits.cluster]
    weight = clusters.energy * own
    total = np.bincount(clusters.event, weight)
    eta = np.bincount(clusters.event, weight * clusters.eta) / np.maximum(total, 1e-9)
    first = np.unique(clusters.event, return_index=True)[1]
    reference = np.zeros(len(total))
    reference[clusters.event[first]] = clusters.phi[first]
    turned = weight * wrap(clusters.phi - reference[clusters.event])
    turn = np.bincount(clusters.event, turned) / np.maximum(total, 1e-9)
    distance = np.hypot(hits.eta - eta[hits.event], wrap(hits.phi - (reference + turn)[hits.event]))[mine]
    counts, _ = np.histogram(distance, RADII, weights=hits.energy[mine])
    return np.asarray(np.concatenate([[0.0], np.cumsum(counts)]) / hits.energy[mine].sum())


def plot_calorimeter(card: Path, output: Path) -> list[Path]:
    """Draw response, resolution and shower shapes of a calorimeter card.

    Args:
        card: the card.
        output: folder for the pictures, created if missing.

    Returns:
        `calorimeter_response.png` and `calorimeter_showers.png`.

    Raises:
        InputError: the card is wrong.
    """
    detector = CellDetector.from_card(card)
    output.mkdir(parents=True, exist_ok=True)
    energy = np.array([1, 2, 4, 8, 16, 32, 64, 128, 200.0])
    showers = {species.name: shoot_showers(detector, species, energy, _SHOTS) for species in SPECIES}
    with hep_style():
        return [
            _draw_response(showers, literal(card.name), output / "calorimeter_response.png"),
            _draw_shapes(showers, literal(card.name), output / "calorimeter_showers.png"),
        ]


def _draw_response(showers: dict[str, Showers], title: str, path: Path) -> Path:
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    response, spread, number = figure.subplots(1, 3)
    for colour, (name, found) in zip(VIEW_COLOURS, showers.items(), strict=False):
        fit = found.resolution
        label = f"{name}: {_terms(fit)}"
        response.plot(found.energy, found.response, ".-", color=colour, label=name)
        spread.plot(found.energy, found.spread, ".", color=colour, label=label)
        fine = np.geomspace(*_FIT_ENERGIES, 50)
        spread.plot(fine, fit(fine), "-", color=colour, linewidth=1)
        number.plot(found.energy, found.n_clusters, ".-", color=colour)
    response.set(ylabel="energy of clusters / energy", ylim=(0.2, 1.2))
    spread.set(ylabel=r"$\sigma(E)\,/\,E$", yscale="log", ylim=(0.007, 30))
    number.set(ylabel="clusters", ylim=(0, 4))
    for axes in (response, spread, number):
        axes.set(xscale="log", xlabel="energy [GeV]")
    response.legend(loc="lower right")
    spread.legend(title=r"$a/\sqrt{E} \oplus b \oplus c/E$", fontsize=7.5, title_fontsize=7.5)
    figure.suptitle(f"clusters of single particles, {title}")
    return save(figure, path)


def _terms(fit: Resolution) -> str:
    a, b, c = fit.errors
    percent = f"{100 * fit.a:.1f} ± {100 * a:.1f} %, {100 * fit.b:.1f} ± {100 * b:.1f} %"
    return f"{percent}, {fit.c:.2f} ± {c:.2f} GeV"


def _draw_shapes(showers: dict[str, Showers], title: str, path: Path) -> Path:
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    panels = figure.subplots(1, 3)
    names = list(showers)
    for axes, name in zip(panels, (names[0], names[2]), strict=False):
        _draw_layers(axes, showers[name], name)
    for colour, (name, found) in zip(VIEW_COLOURS, showers.items(), strict=False):
        panels[2].plot(RADII, found.radius[-3], color=colour, label=name)
    panels[2].set(xlabel=r"distance in $\eta$, $\phi$", ylabel="energy within", xlim=(0, 0.4), ylim=(0, 1.05))
    panels[2].legend(title=f"{showers[names[0]].energy[-3]:.0f} GeV", loc="lower right")
    figure.suptitle(f"shapes of showers, {title}")
    return save(figure, path)


def _draw_layers(axes: Axes, found: Showers, name: str) -> None:
    for colour, point in zip(VIEW_COLOURS, (0, 3, 6, 8), strict=False):
        axes.plot(found.layers[point], ".-", color=colour, label=f"{found.energy[point]:.0f} GeV")
    axes.set(xlabel=f"layer ({name})", ylabel="fraction of energy", ylim=(0, 1))
    axes.legend()
