"""What is written for each row: columns of the hard scatter, of the seeds, of both jets and of the constituents."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from resim.card.jet_settings import JetSettings
from resim.common.arrays import Arrays, Booleans
from resim.common.ragged import offsets_of
from resim.hard_scatter.partons import Parton
from resim.hard_scatter.rows import Rows
from resim.jets.clustering import constituents_of
from resim.jets.jet_cells import CellsOfJets, RaggedColumns
from resim.jets.reconstruct_views import JetsOfRows, ReconstructedView
from resim.jets.substructure import substructure
from resim.jets.vertices import Vertices
from resim.pairfile import schema
from resim.pairfile.row_block import invalid_jet_columns
from resim.particles import Candidates, Particles, impact_parameters
from resim.shower.simulate_views import Realization


def hard_scatter_columns(rows: Rows, source: int, number_of_label: Mapping[str, int]) -> Arrays:
    """The columns of `hard_scatter/` of labelled rows, each `(n_rows,)`."""
    events = [rows.scatters[i] for i in rows.scatter_of_row]

    def of_parton(value: Callable[[Parton], float]) -> list[float]:
        return [value(parton) for parton in rows.partons]

    columns = {
        "event": [scatter.index for scatter in events],
        "source": [source] * len(events),
        "identity": np.array([scatter.identity for scatter in events], np.uint64),
        "label": [number_of_label[str(parton.label)] for parton in rows.partons],
        "weight": [scatter.event.eventinfo.weight for scatter in events],
        "parton_pdg_id": of_parton(lambda parton: parton.pdg_id),
        "parton_pt": of_parton(lambda parton: parton.pt),
        "parton_eta": of_parton(lambda parton: parton.eta),
        "parton_phi": of_parton(lambda parton: parton.phi),
        "parton_mass": of_parton(lambda parton: parton.mass),
    }
    return {f"hard_scatter/{name}": np.array(values) for name, values in columns.items()}


def weight_columns(rows: Rows, names: Sequence[str]) -> Arrays:
    """The columns of `weights/` of labelled rows, and their offsets; every weight by its place among the names."""
    number = {name: i for i, name in enumerate(names)}
    of_rows = [rows.scatters[i].weights for i in rows.scatter_of_row]
    found = [(number[name], value) for weights in of_rows for name, value in weights.items()]
    return {
        schema.WEIGHT_OFFSETS.name: offsets_of(np.array([len(weights) for weights in of_rows], np.int64)),
        "weights/number": np.array([i for i, _ in found], np.int32),
        "weights/value": np.array([value for _, value in found], np.float64),
    }


def view_columns(found: ReconstructedView, rows: Rows, settings: JetSettings) -> Arrays:
    """Columns of one view by path below its group: of rows `(n_rows,)`, of constituents `(n_constituents,)`."""
    columns = _seed_columns(found.realization, found.detector_seeds, rows) | {"valid": found.valid}
    columns |= _jet_columns(found.detector_level, found.valid, settings)
    if found.vertices is not None:
        columns |= _vertex_columns(found.vertices, found.valid)
    if found.cells is not None:
        columns |= _cell_columns(found.cells, found.valid)
    return columns | _particle_jet_columns(found.particle_level, found.valid)


def _seed_columns(realization: Realization, detector_seeds: npt.NDArray[np.uint32], rows: Rows) -> Arrays:
    return {
        "seeds/shower": realization.shower_seed[rows.scatter_of_row],
        "seeds/hadronization": realization.hadronization_seed[rows.scatter_of_row],
        "seeds/detector": detector_seeds[rows.scatter_of_row],
    }


def _jet_columns(level: JetsOfRows, valid: Booleans, settings: JetSettings) -> Arrays:
    """The columns of `jets/`, `offsets` and `constituents/`."""
    of_valid_row = level.of_row[valid]
    constituents = level.particles.take(*constituents_of(level.particles, level.jets, of_valid_row))
    n_constituents = np.diff(constituents.offsets)
    momenta = {name: getattr(constituents, name) for name in ("px", "py", "pz", "energy")}
    measured = {name: getattr(level.jets, name)[of_valid_row] for name in ("pt", "eta", "phi", "mass", "energy")}
    measured |= {"n_constituents": n_constituents} | substructure(constituents.offsets, momenta, settings)
    columns = invalid_jet_columns(len(valid))
    for name, values in measured.items():
        columns[name][valid] = values
    arrays: Arrays = {f"jets/{name}": values for name, values in columns.items()}
    arrays["offsets"] = offsets_of(columns["n_constituents"])
    return arrays | _constituent_columns(constituents)


def _particle_jet_columns(particle_level: JetsOfRows, valid: Booleans) -> Arrays:
    some = valid & (particle_level.of_row >= 0)
    columns: Arrays = {}
    for column in schema.PARTICLE_JETS:
        values = np.full(len(valid), np.nan)
        values[some] = getattr(particle_level.jets, column.name)[particle_level.of_row[some]]
        columns[f"particle_jets/{column.name}"] = values
    return columns


def _vertex_columns(vertices: Vertices, valid: Booleans) -> Arrays:
    """The columns of `vertices/` and `vertex_offsets`."""
    counts = np.zeros(len(valid), np.int64)
    counts[valid] = np.diff(vertices.offsets)
    columns: Arrays = {f"vertices/{name}": column for name, column in vertices.columns.items()}
    return columns | {"vertex_offsets": offsets_of(counts)}


def _cell_columns(cells: CellsOfJets, valid: Booleans) -> Arrays:
    """The columns and offsets of `cells/`, `clusters/` and `tracks/`."""
    columns: Arrays = {}
    for name in schema.CELL_GROUPS:
        group: RaggedColumns = getattr(cells, name)
        counts = np.zeros(len(valid), np.int64)
        counts[valid] = np.diff(group.offsets)
        columns |= {f"{name}/{key}": values for key, values in group.columns.items()}
        columns[f"{name}/offsets"] = offsets_of(counts)
    return columns


def _constituent_columns(constituents: Particles) -> Arrays:
    columns = {name: getattr(constituents, name) for name in ("pt", "eta", "phi", "energy", "charge", "pdg_id")}
    if isinstance(constituents, Candidates):
        columns |= {name: getattr(constituents, name) for name in ("d0", "d0_err", "dz", "dz_err")}
    else:
        d0, dz = impact_parameters(constituents)
        columns |= {"d0": d0, "dz": dz, "d0_err": np.zeros_like(d0), "dz_err": np.zeros_like(dz)}
    return {f"constituents/{name}": column for name, column in columns.items()}
