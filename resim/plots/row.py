"""One row in all its views: constituents in the eta-phi plane."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from resim.card.view_plan import plan_from_records
from resim.common.angles import wrap
from resim.common.errors import InputError
from resim.pairfile.reader import PairFile
from resim.pairfile.row_block import RowBlock
from resim.particles import particle_kinds
from resim.plots.style import hep_style, literal, save

KINDS: Final = {
    "charged hadron": "#3f90da",
    "neutral hadron": "#94a4a2",
    "photon": "#ffa90e",
    "electron": "#bd1f01",
    "muon": "#832db6",
}
_AREA_OF_THE_JET: Final = 2500.0
"""Area, in square points, of a constituent that carries the whole jet's pT."""
_PANELS_A_LINE: Final = 4


@dataclass(frozen=True, slots=True)
class _Panel:
    """A view to draw: title, name, the row that holds it, and whether the next panel belongs at its side."""

    title: str
    view: str
    row: RowBlock
    leads: bool = False


def show_row(path: Path, row: int, output: Path, generated: bool = False, lhe: Path | None = None) -> Path:
    """Draw every view of a row around its hard parton; areas are proportional to pT.

    Args:
        path: the pair file.
        row: index of the row.
        output: picture to write.
        generated: draw the generated particles, too, of views with a detector; unless a view of the file shows them,
            they are made again from the LHE file.
        lhe: where the LHE file is now; None: where the card had it.

    Returns:
        The output.

    Raises:
        InputError: there is no such row, or it cannot be made again.
    """
    with PairFile(path) as file, hep_style():
        if not 0 <= row < len(file):
            raise InputError(f"{path}: row {row} does not exist; the file has rows 0 ... {len(file) - 1}")
        lines = _lines(_with_generated(file, row, lhe) if generated else _stored(file, row))
        n_columns = max(map(len, lines))
        figure = Figure(figsize=(1 + 3.9 * n_columns, 1.2 + 4.3 * len(lines)), layout="constrained")
        panels = figure.subplots(len(lines), n_columns, squeeze=False, sharex=True, sharey=True)
        for places, line in zip(panels, lines, strict=True):
            for axes in places[len(line) :]:
                axes.set_visible(False)
            for axes, panel in zip(places, line, strict=False):
                _draw_view(axes, panel, jet_radius(file))
        for column in panels.T:
            lowest = [axes for axes in column if axes.get_visible()][-1]
            lowest.set_xlabel(r"$\eta - \eta_\mathrm{parton}$")
            lowest.tick_params(labelbottom=True)
        for axes in panels[:, 0]:
            axes.set_ylabel(r"$\phi - \phi_\mathrm{parton}$ [rad]")
        figure.suptitle(row_title(file, row), fontsize=13)
        _explain(figure, vertices=file.has_vertices)
        return save(figure, output)


def _explain(figure: Figure, *, vertices: bool) -> None:
    """The legend of kinds of particles, and of vertices."""
    marks = [Line2D([], [], linestyle="", marker="o", color=colour, label=kind) for kind, colour in KINDS.items()]
    if vertices:
        marks.append(Line2D([], [], linestyle="", marker="*", color="black", label="secondary vertex"))
    figure.legend(handles=marks, loc="outside lower center", ncols=len(marks), frameon=False)


def _stored(file: PairFile, row: int) -> list[_Panel]:
    block = file.block(row, row + 1)
    return [_Panel(view, view, block) for view in file.view_names]


def _with_generated(file: PairFile, row: int, lhe: Path | None) -> list[_Panel]:
    """The views, and before the first view with a detector of the same particles these particles."""
    from resim.run.replay import generated_row

    plan = {view.name: view for view in plan_from_records(file.views)}
    shown = {view.particles_owner for view in plan.values() if view.detector is None}
    again = None if {view.particles_owner for view in plan.values()} <= shown else generated_row(file.path, row, lhe)
    panels = []
    for panel in _stored(file, row):
        owner = plan[panel.view].particles_owner
        if again and owner not in shown:
            panels.append(_Panel(f"{panel.view}, generated", panel.view, again, leads=True))
            shown.add(owner)
        panels.append(panel)
    return panels


def _lines(panels: list[_Panel]) -> list[list[_Panel]]:
    """The panels in lines, which do not break between two that belong side by side."""
    lines: list[list[_Panel]] = [[]]
    for panel in panels:
        if len(lines[-1]) + panel.leads >= _PANELS_A_LINE:
            lines.append([])
        lines[-1].append(panel)
    return lines


def row_title(file: PairFile, row: int) -> str:
    """What a row is: its class, event and hard parton."""
    pt, eta, event = (file.hard_scatter(name)[row] for name in ("parton_pt", "parton_eta", "event"))
    parton = rf"parton $p_\mathrm{{T}}$ = {pt:.0f} GeV, $\eta$ = {eta:.2f}"
    return f"row {row}: {literal(file.label_names()[row])}, event {event}, {parton}"


def _draw_view(axes: Axes, panel: _Panel, radius: float) -> None:
    arrays, path = panel.row.arrays, f"views/{panel.view}"
    if arrays[f"{path}/valid"][0]:
        _draw_constituents(axes, panel, radius)
        pt, mass = (arrays[f"{path}/jets/{name}"][0] for name in ("pt", "mass"))
        title = f"{literal(panel.title)}\n" + rf"$p_\mathrm{{T}}$ = {pt:.0f} GeV, $m$ = {mass:.0f} GeV"
    else:
        title = f"{literal(panel.title)}\nno matched jet"
    axes.plot(0, 0, marker="+", color="black", markersize=12, zorder=3)
    axes.set_title(title, loc="left")
    axes.set_xlim(-2 * radius, 2 * radius)
    axes.set_ylim(-2 * radius, 2 * radius)
    axes.set_aspect("equal")


def _draw_constituents(axes: Axes, panel: _Panel, radius: float) -> None:
    arrays, path = panel.row.arrays, f"views/{panel.view}"
    columns = ("pt", "eta", "phi", "pdg_id", "charge")
    pt, eta, phi, pdg_id, charge = (arrays[f"{path}/constituents/{name}"] for name in columns)
    jet_pt, jet_eta, jet_phi = (float(arrays[f"{path}/jets/{name}"][0]) for name in ("pt", "eta", "phi"))
    centre = [float(arrays[f"hard_scatter/parton_{name}"][0]) for name in ("eta", "phi")]
    area = np.maximum(_AREA_OF_THE_JET * pt / jet_pt, 3.0)
    kinds = particle_kinds(pdg_id, charge)
    colours = np.select([kinds[kind] for kind in KINDS], [*KINDS.values()], "").tolist()
    axes.scatter(eta - centre[0], wrap(phi - centre[1]), s=area, c=colours, alpha=0.6, linewidths=0)
    if panel.row.layout.vertices:
        eta, phi = (arrays[f"{path}/vertices/{name}"] for name in ("eta", "phi"))
        axes.plot(eta - centre[0], wrap(phi - centre[1]), linestyle="", marker="*", color="black", markersize=9)
    place = (jet_eta - centre[0], float(wrap(np.array(jet_phi - centre[1]))))
    axes.add_patch(Circle(place, radius, fill=False, color="0.5", linestyle="--"))


def jet_radius(file: PairFile) -> float:
    """Radius of the jets of a file."""
    return float(file.provenance.card.get("jets", {}).get("radius", 0.8))
