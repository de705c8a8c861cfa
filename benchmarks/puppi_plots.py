"""Jets with pile-up, with charged-hadron subtraction and with PUPPI, against the same jets without a detector.

    python -m benchmarks.puppi_plots POOL RECORDING OUTPUT

POOL is made by `resim pileup`; RECORDING holds events as `tests.helpers.delphes_recording` describes them. Prints a
table in Markdown, medians with errors from a bootstrap over jets, and writes `pileup_jets.png`.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from resim.card.jet_settings import JetSettings
from resim.common.arrays import Floats
from resim.common.ragged import owners_of
from resim.detector import Detector
from resim.detector.pileup import PileUp
from resim.detector.pool import Pool
from resim.jets.clustering import ClusteredJets, cluster
from resim.particles import Particles
from resim.plots.style import VIEW_COLOURS, hep_style, save
from tests.helpers.delphes_recording import load_recording

CARDS: Final = {"subtraction": "cms_pileup", "PUPPI": "cms_puppi"}
MEANS: Final = (0.0, 20.0, 50.0, 140.0)
_GENERATED: Final = JetSettings(radius=0.8, pt_min=60.0, abs_eta_max=2.0)
_MEASURED: Final = JetSettings(radius=0.8, pt_min=15.0, abs_eta_max=2.5)
_DISTANCE: Final = 0.3
_BOOTSTRAP: Final = 400


@dataclass(frozen=True, slots=True)
class Matched:
    """Jets without a detector and the nearest measured one, float64 `(n_jets,)` each."""

    response: Floats
    mass: Floats
    shift: Floats


def matched(generated: ClusteredJets, measured: ClusteredJets) -> Matched:
    """The nearest measured jet of the same event within 0.3; jets without one are left out."""
    event = owners_of(generated.offsets)
    pairs = []
    for i, number in enumerate(event):
        rows = np.arange(*measured.offsets[number : number + 2])
        turn = np.abs(measured.phi[rows] - generated.phi[i]) % (2 * np.pi)
        distance = np.hypot(np.minimum(turn, 2 * np.pi - turn), measured.eta[rows] - generated.eta[i])
        if len(rows) and distance.min() < _DISTANCE:
            pairs.append((i, rows[np.argmin(distance)]))
    here, there = np.array(pairs, np.int64).reshape(-1, 2).T
    return Matched(
        response=measured.pt[there] / generated.pt[here],
        mass=measured.mass[there],
        shift=measured.mass[there] - generated.mass[here],
    )


def with_error(values: Floats, generator: np.random.Generator) -> str:
    """Median and its bootstrap error as text."""
    drawn = generator.integers(0, len(values), (_BOOTSTRAP, len(values)))
    return f"{np.median(values):.3f} ± {np.median(values[drawn], axis=1).std():.3f}"


def width(values: Floats, generator: np.random.Generator) -> str:
    """Half the central 68 % and its bootstrap error as text."""
    drawn = values[generator.integers(0, len(values), (_BOOTSTRAP, len(values)))]
    low, high = np.quantile(np.vstack([values, drawn]), [0.16, 0.84], axis=1)
    half = (high - low) / 2
    return f"{half[0]:.3f} ± {half[1:].std():.3f}"


def main(pool: Path, recording: Path, output: Path) -> None:
    """Print the table and draw the pictures."""
    particles = load_recording(recording).particles
    generated = cluster(_visible(particles), _GENERATED)
    found = {
        (name, mu): (matched(generated, cluster(candidates, _MEASURED)), len(candidates.px) / particles.n_events)
        for name, card in CARDS.items()
        for mu in MEANS
        for candidates in [_run(card, mu, pool, particles)]
    }
    generator = np.random.default_rng(1)
    print(f"{len(generated.pt)} jets, median mass {np.median(generated.mass):.1f} GeV")
    print(
        "| mean | | jets | pT ratio: median | half of 68 % | mass shift: median [GeV] | half of 68 % | candidates |"
    )
    for (name, mu), (jets, n) in sorted(found.items(), key=lambda item: item[0][1]):
        cells = (f"{mu:g}", name, len(jets.response), with_error(jets.response, generator))
        cells += (width(jets.response, generator), with_error(jets.shift, generator), width(jets.shift, generator))
        print("|", *(f"{cell} |" for cell in (*cells, f"{n:.0f}")))
    output.mkdir(parents=True, exist_ok=True)
    with hep_style():
        print(_draw({key: jets for key, (jets, _) in found.items()}, output / "pileup_jets.png"))


def _run(card: str, mu: float, pool: Path, particles: Particles) -> Particles:
    detector = Detector.from_card(f"cards/delphes/{card}.tcl", PileUp(mu, Pool.open(pool)))
    return detector.run(particles, np.arange(particles.n_events))


def _visible(particles: Particles) -> Particles:
    rows = np.flatnonzero(particles.visible)
    counts = np.bincount(owners_of(particles.offsets)[rows], minlength=particles.n_events)
    columns = {n: getattr(particles, n)[rows] for n in Particles.__slots__ if n not in ("offsets", "visible")}
    return Particles(offsets=np.concatenate([[0], np.cumsum(counts)]), **columns)


def _draw(found: dict[tuple[str, float], Matched], output: Path) -> Path:
    figure = Figure(figsize=(14, 9), layout="constrained")
    panels = figure.subplots(2, 2)
    quantities = (("response", np.linspace(0.5, 1.6, 34), r"jet $p_\mathrm{T}$ / generated"),)
    quantities += (("shift", np.linspace(-30, 60, 31), "jet mass - generated [GeV]"),)
    for row, (name, edges, label) in enumerate(quantities):
        for column, kind in enumerate(CARDS):
            for mu, colour in zip(MEANS, VIEW_COLOURS, strict=False):
                panel, values = panels[row, column], getattr(found[kind, mu], name)
                panel.stairs(np.histogram(values, edges)[0], edges, color=colour, label=f"mean {mu:g}")
            panel.set(xlabel=label, ylabel="jets", title=f"charged-hadron {kind}" if column == 0 else kind)
            panel.set_ylim(0, 1.15 * max(np.histogram(getattr(f, name), edges)[0].max() for f in found.values()))
    panels[0, 0].legend()
    return save(figure, output)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
