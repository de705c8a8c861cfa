"""Charges, types and impact parameters, on columns of one jet."""

from pathlib import Path

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.formats.columns_card import DisplacementsCard, ParticlesCard
from resim.formats.containers import Ragged
from resim.formats.flat_columns import FlatColumns
from resim.formats.mapping_card import MappingCard
from resim.formats.particle_types import displacements_of, particles_of

MOMENTA = {"unit": "GeV", "pt": "pt", "eta": "pt", "phi": "pt", "mass": 0}
CARD = MappingCard.model_validate(
    {"name": "x", "container": {"kind": "parquet"}, "labels": {"all": "x"}, "columns": {"momenta": MOMENTA}}
)


def columns(**arrays):
    """One jet with these columns."""
    ragged = {name: Ragged(np.array([len(values)]), np.array(values, float)) for name, values in arrays.items()}
    n = len(next(iter(arrays.values())))
    return FlatColumns(Path("file"), {"pt": Ragged(np.array([n]), np.ones(n)), **ragged}, CARD, 7)


def test_charges_of_pdg_ids():
    ids = [211, -211, 321, 2212, -2212, 11, -11, 13, 22, 130, -2112, 3112, 0]
    found = particles_of(columns(i=ids), ParticlesCard(pdg_id="i"))
    assert found["charge"].tolist() == [1, -1, 1, 1, -1, -1, 1, -1, 0, 0, 0, -1, 0]
    assert found["pdg_id"].tolist() == ids
    with pytest.raises(InputError, match="file: i holds a particle whose charge is not known in jet 7"):
        particles_of(columns(i=[521]), ParticlesCard(pdg_id="i"))


def test_flags_become_the_particles_that_a_detector_takes_them_for():
    card = ParticlesCard(charge="q", charged_hadron="h", photon="g", electron="e", muon="m")
    arrays = {"q": [1, -1, 0, 0, -1, 1], "h": [1, 0, 0, 0, 0, 0], "g": [0, 0, 1, 0, 0, 0], "e": [0, 0, 0, 0, 1, 0]}
    found = particles_of(columns(**arrays, m=[0, 0, 0, 0, 0, 1]), card)
    assert found["pdg_id"].tolist() == [211, -211, 22, 0, 11, -13]
    with pytest.raises(InputError, match="type is given twice in jet 7"):
        particles_of(columns(q=[0], h=[1], g=[1], e=[0], m=[0]), card)


def test_numbers_of_their_own():
    card = ParticlesCard(pdg_id="i", codes={0: -211, 5: 22})
    assert particles_of(columns(i=[5, 0, 0]), card)["pdg_id"].tolist() == [22, -211, -211]
    with pytest.raises(InputError, match="i has a value that is none of `codes`"):
        particles_of(columns(i=[1]), card)


def test_units_signs_and_tracks_that_are_none():
    card = DisplacementsCard(unit="cm", sign="opposite", d0="a", d0_err="b", dz="c", dz_err="d")
    arrays = columns(a=[0.1, 0.2, -1.0], b=[0.01, 0.02, -1.0], c=[0.3, 0.4, -1.0], d=[0.03, 0.04, -1.0])
    found = displacements_of(arrays, card, np.array([1.0, 0.0, 1.0]), typed=True)
    assert {name: values.tolist() for name, values in found.items()} == {
        "d0": pytest.approx([-1, 0, 0]),
        "d0_err": pytest.approx([0.1, 0, 0]),
        "dz": pytest.approx([3, 0, 0]),
        "dz_err": pytest.approx([0.3, 0, 0]),
    }
    assert displacements_of(arrays, card, np.zeros(3), typed=False)["d0"] == pytest.approx([-1, -2, 0])


def test_a_hyperbolic_tangent_is_taken_back_as_far_as_it_goes():
    card = DisplacementsCard(unit="mm", sign="same", tanh=True, d0="a", dz="a")
    values = np.float32([0.0, 0.5, -3.0, 50.0])
    found = displacements_of(columns(a=np.tanh(values)), card, np.ones(4), typed=True)
    assert found["d0"] == pytest.approx([0, 0.5, -3, 8.66], abs=0.01)
