"""Candidates of the detector stage next to those of Delphes itself, for the same generated events.

python -c "from pathlib import Path; from benchmarks.delphes_plots import plot_comparison
plot_comparison(Path('cards/delphes/cms.tcl'), Path('tests/data/delphes_qcd.npz'), Path('plots'))"
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resim.card.jet_settings import JetSettings
from resim.common.arrays import Floats
from resim.detector import Detector
from resim.jets.clustering import cluster
from resim.particles import Candidates
from resim.plots.style import VIEW_COLOURS, hep_style, save
from tests.helpers.delphes_recording import Recording, load_recording

N_RUNS: Final = 8
"""Runs with other seeds that are averaged, so that the errors are those of Delphes."""
_JET_SETTINGS: Final = JetSettings(radius=0.5, pt_min=20, abs_eta_max=2.5)
"""The jets of Delphes' CMS card, inside the tracker."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A quantity that candidates have.

    Attributes:
        label: axis label with its unit.
        edges: of the bins.
        values: the values in a sample of candidates of the recorded events.
        logarithmic: whether its axis is.
    """

    label: str
    edges: Floats
    values: Callable[[Recording, Candidates], Floats]
    logarithmic: bool = False


def _events(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _numbers(chosen: Callable[[Candidates], npt.NDArray[np.bool_]]) -> Callable[[Recording, Candidates], Floats]:
    def numbers(_: Recording, c: Candidates) -> Floats:
        return np.bincount(_events(c.offsets)[chosen(c)], minlength=c.n_events).astype(np.float64)

    return numbers


def _energies(pdg_id: int, low: float, high: float) -> Callable[[Recording, Candidates], Floats]:
    def energies(_: Recording, c: Candidates) -> Floats:
        return np.asarray(c.energy[(c.pdg_id == pdg_id) & (np.abs(c.eta) > low) & (np.abs(c.eta) <= high)])

    return energies


def _response(low: float, high: float) -> Callable[[Recording, Candidates], Floats]:
    """Measured over generated pT of hadron tracks, by |eta| where they leave the tracker."""

    def response(recording: Recording, c: Candidates) -> Floats:
        track = (c.charge != 0) & ~np.isin(np.abs(c.pdg_id), [11, 13])
        rows = recording.particles.offsets[_events(c.offsets)[track]] + c.origin[track]
        outer = np.abs(recording.outer_eta[rows])
        return np.asarray((c.pt[track] / recording.particles.pt[rows])[(outer > low) & (outer <= high)])

    return response


def _jets(quantity: str) -> Callable[[Recording, Candidates], Floats]:
    def values(_: Recording, c: Candidates) -> Floats:
        jets = cluster(c, _JET_SETTINGS)
        members = np.diff(jets.constituent_offsets).astype(np.float64)
        return members if quantity == "constituents" else np.asarray(getattr(jets, quantity))

    return values


_ENERGY: Final = np.geomspace(0.5, 500, 19)
CANDIDATES: Final = (
    Distribution("tracks / event", np.arange(0, 201, 20.0), _numbers(lambda c: c.charge != 0)),
    Distribution("photons / event", np.arange(0, 131, 10.0), _numbers(lambda c: c.pdg_id == 22)),
    Distribution("neutral hadrons / event", np.arange(0, 151, 12.0), _numbers(lambda c: c.pdg_id == 0)),
    Distribution(r"photon energy, $|\eta|$ < 1.5 [GeV]", _ENERGY, _energies(22, 0, 1.5), True),
    Distribution(r"photon energy, 1.5 < $|\eta|$ < 2.5 [GeV]", _ENERGY, _energies(22, 1.5, 2.5), True),
    Distribution(r"photon energy, 2.5 < $|\eta|$ < 5 [GeV]", 4 * _ENERGY, _energies(22, 2.5, 5), True),
    Distribution(r"neutral hadron energy, $|\eta|$ < 1.5 [GeV]", 2 * _ENERGY, _energies(0, 0, 1.5), True),
    Distribution(r"neutral hadron energy, 1.5 < $|\eta|$ < 2.5 [GeV]", 2 * _ENERGY, _energies(0, 1.5, 2.5), True),
    Distribution(r"neutral hadron energy, 2.5 < $|\eta|$ < 5 [GeV]", 2 * _ENERGY, _energies(0, 2.5, 5), True),
)
TRACKS_AND_JETS: Final = (
    Distribution(r"track $p_\mathrm{T}$ / generated, $|\eta|$ < 0.5", np.linspace(0.7, 1.3, 25), _response(0, 0.5)),
    Distribution(r"track $p_\mathrm{T}$ / generated, 0.5-1.5", np.linspace(0.5, 1.5, 25), _response(0.5, 1.5)),
    Distribution(r"track $p_\mathrm{T}$ / generated, 1.5-2.5", np.linspace(0.2, 2.0, 25), _response(1.5, 2.5)),
    Distribution(r"jet $p_\mathrm{T}$ [GeV]", np.arange(20, 621, 40.0), _jets("pt")),
    Distribution("jet mass [GeV]", np.linspace(0, 100, 15), _jets("mass")),
    Distribution("jet constituents", np.arange(-0.5, 70, 5), _jets("constituents")),
)


def plot_comparison(card: Path, recording: Path, output: Path) -> list[Path]:
    """Draw distributions of candidates, tracks and jets, with ratios to Delphes.

    Args:
        card: the card with which the recording was made.
        recording: what Delphes made of its events, see `tests.helpers.delphes_recording`.
        output: folder for the pictures, created if missing.

    Returns:
        `detector_candidates.png` and `detector_jets.png`.

    Raises:
        InputError: the card or the recording is wrong.
    """
    reference, detector = load_recording(recording), Detector.from_card(card)
    n = reference.particles.n_events
    runs = [detector.run(reference.particles, np.arange(n) + n * run) for run in range(N_RUNS)]
    output.mkdir(parents=True, exist_ok=True)
    with hep_style():
        return [
            _draw(distributions, reference, runs, output / name)
            for name, distributions in (
                ("detector_candidates.png", CANDIDATES),
                ("detector_jets.png", TRACKS_AND_JETS),
            )
        ]


def _draw(
    distributions: tuple[Distribution, ...], reference: Recording, runs: list[Candidates], output: Path
) -> Path:
    lines = len(distributions) // 3
    figure = Figure(figsize=(15, 4.6 * lines), layout="constrained")
    panels = figure.subplots(2 * lines, 3, height_ratios=[3, 1.2] * lines)
    for i, distribution in enumerate(distributions):
        line, column = divmod(i, 3)
        theirs = np.histogram(distribution.values(reference, reference.candidates), distribution.edges)[0]
        ours = [np.histogram(distribution.values(reference, run), distribution.edges)[0] for run in runs]
        _draw_panel(panels[2 * line, column], panels[2 * line + 1, column], distribution, theirs, np.array(ours))
    panels[0, 0].legend(loc="upper right")
    return save(figure, output)


def _draw_panel(
    top: Axes, bottom: Axes, distribution: Distribution, theirs: npt.NDArray[np.int64], ours: npt.NDArray[np.int64]
) -> None:
    """Counts and their ratio; error bars are those of Delphes, the band is the spread of our runs."""
    edges, mean, spread = distribution.edges, ours.mean(axis=0), ours.std(axis=0, ddof=1)
    centres = np.sqrt(edges[1:] * edges[:-1]) if distribution.logarithmic else (edges[1:] + edges[:-1]) / 2
    some = (theirs > 0) & (mean > 0)
    top.stairs(mean, edges, color=VIEW_COLOURS[0], label=f"resim ({len(ours)} runs)")
    top.errorbar(centres, theirs, yerr=np.sqrt(theirs), fmt=".", color="black", label="Delphes 3.5.1", linewidth=1)
    if distribution.logarithmic:
        top.set(xscale="log", yscale="log")
        bottom.set_xscale("log")
    band = np.divide(spread, mean, out=np.zeros_like(mean), where=some)
    bottom.stairs(1 + band, edges, baseline=1 - band, fill=True, color="0.85")
    ratio, error = (np.where(some, x, np.nan) / np.where(some, mean, 1) for x in (theirs, np.sqrt(theirs)))
    bottom.errorbar(centres, ratio, yerr=error, fmt=".", color="black", linewidth=1)
    bottom.axhline(1, color=VIEW_COLOURS[0], linewidth=1)
    bottom.set(ylim=(0.6, 1.4), xlabel=distribution.label, ylabel="Delphes\n/ resim")
    top.set_xlim(edges[0], edges[-1])
    bottom.set_xlim(edges[0], edges[-1])
