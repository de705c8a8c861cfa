import numpy as np
import pytest

from resim.common.ragged import offsets_of
from resim.common.units import INVISIBLE_PDG_IDS
from resim.particles import Particles, impact_parameters
from resim.shower.event_record import invisible_ids


def particles(**columns: object) -> Particles:
    n = len(next(iter(columns.values())))
    names = ("px", "py", "pz", "energy", "mass", "charge", "vx", "vy", "vz")
    defaults = {name: np.zeros(n) for name in names} | {"pdg_id": np.full(n, 211, np.int32), "px": np.ones(n)}
    given = {name: np.array(values) for name, values in columns.items()}
    return Particles(offsets=offsets_of([n]), **(defaults | given))


def test_invisible_are_neutrinos_dark_matter_and_hidden_valley():
    ids = [211, 12, -14, 16, 22, 2112, 1000022, 4900101, 13]
    visible = particles(pdg_id=np.array(ids, np.int32)).visible
    assert visible.tolist() == [True, False, False, False, True, True, False, False, True]


def test_what_is_invisible_by_default_is_what_pythia_says():
    import pythia8mc

    wanted = set(invisible_ids(pythia8mc.Pythia("", False).particleData).tolist())
    known = {i for i in INVISIBLE_PDG_IDS if i < 4_900_000 or i in wanted or i >= 5_000_000}
    assert known == wanted
    assert not {4900001, 4900006, 4900011, 4900023} & INVISIBLE_PDG_IDS


def test_selection_keeps_events_apart():
    p = particles(px=[1.0, 2.0, 3.0, 4.0])
    two = Particles(**{f: getattr(p, f) for f in p.__slots__} | {"offsets": np.array([0, 1, 4])})
    kept = two.select(np.array([False, True, False, True]))
    assert kept.offsets.tolist() == [0, 0, 2]
    assert kept.px.tolist() == [2.0, 4.0]


def test_impact_parameters_by_hand():
    """A track along +x that starts at (5, 1, 3) mm with slope pz/pT = 2 passes the beam line at y = 1, z = 3 - 10."""
    p = particles(px=[10.0], py=[0.0], pz=[20.0], charge=[1.0], vx=[5.0], vy=[1.0], vz=[3.0])
    d0, dz = impact_parameters(p)
    assert d0 == pytest.approx([-1.0])
    assert dz == pytest.approx([-7.0])


def test_impact_parameters_do_not_depend_on_where_on_the_track_the_particle_starts():
    rng = np.random.default_rng(2)
    p = {name: rng.normal(0, 5, 50) for name in ("px", "py", "pz", "vx", "vy", "vz")}
    moved = p | {f"v{x}": p[f"v{x}"] + 0.7 * p[f"p{x}"] for x in "xyz"}
    charge = np.ones(50)
    here, there = (impact_parameters(particles(**q, charge=charge)) for q in (p, moved))
    assert here[0] == pytest.approx(there[0])
    assert here[1] == pytest.approx(there[1])


def test_neutral_particles_have_no_impact_parameter():
    d0, dz = impact_parameters(particles(px=[1.0], vx=[3.0], vy=[4.0], vz=[5.0]))
    assert (d0[0], dz[0]) == (0.0, 0.0)
