"""From particles to the jets of rows, on toy particles with known jets."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from resim.card.generation_card import JetSettings
from resim.card.view_plan import GeneratorPlan, ViewPlan
from resim.common.row_counts import SourceCounts
from resim.hard_scatter.partons import Parton
from resim.hard_scatter.rows import HardScatter, Rows
from resim.jets.reconstruct_views import reconstruct
from resim.pairfile.columns import view_columns
from resim.shower.simulate_views import Realization
from tests.helpers.particles import events, particle

SETTINGS = JetSettings(radius=0.8, pt_min=100, match_delta_r=0.8)
PYTHIA = GeneratorPlan("pythia8", ())


def view(name, parent=None):
    return ViewPlan(name, parent, "hard_scatter" if parent else None, name, name, PYTHIA)


def parton(pt, phi=0.0):
    return Parton(21, "g", pt * np.cos(phi), pt * np.sin(phi), 0.0, float(pt), 0.0)


def toward(pt, phi):
    """Two pions of half the momentum each, close together."""
    return [particle(px=pt / 2 * np.cos(phi + d), py=pt / 2 * np.sin(phi + d)) for d in (-0.05, 0.05)]


def rows(*partons_of_event):
    scatters = [
        HardScatter("ab", index, index, None, tuple(partons)) for index, partons in enumerate(partons_of_event)
    ]
    flat = [parton for partons in partons_of_event for parton in partons]
    of_row = np.repeat(np.arange(len(scatters)), [len(partons) for partons in partons_of_event])
    return Rows(scatters, of_row, flat, [], np.empty(0, np.int64), SourceCounts(rows=len(flat)))


def realization(particles, made=None):
    n = particles.n_events
    made = np.ones(n, bool) if made is None else np.array(made)
    seeds = np.arange(1, n + 1, dtype=np.uint32)
    return Realization(particles, made, ((),) * n, seeds, seeds, retries=2)


def test_each_row_has_its_jet_or_the_reason_why_not():
    of = rows([parton(300), parton(280, np.pi)], [parton(200)], [parton(200)], [parton(400), parton(390, 0.09)])
    particles = events(
        toward(290, 0.1) + toward(270, np.pi),
        toward(50, 0.0),  # below pt_min
        [],
        toward(700, 0.05),  # one jet for two partons
    )
    (found,) = reconstruct([view("a")], {"a": realization(particles, [True, True, False, True])}, of, SETTINGS, 1)
    # Of the two partons near the last jet, at phi = 0.05, the one at 0.09 is nearer than the one at 0.
    assert found.valid.tolist() == [True, True, False, False, False, True]
    assert found.counts.lost == {"not_generated": 1, "no_jet": 1, "jet_taken": 1}
    assert (found.counts.valid, found.counts.retries) == (3, 2)
    assert (found.detector_seeds == 0).all()


def test_a_jet_above_pt_max_leaves_no_row_to_another_jet():
    """The harder of two jets near the parton is its jet; without it, the row would pair with another part of it."""
    of = rows([parton(1600)], [parton(700)])
    particles = events(toward(1100, -0.3) + toward(600, 0.7), toward(690, 0.0))
    settings = SETTINGS.model_copy(update={"pt_max": 1000.0})
    (found,) = reconstruct([view("a")], {"a": realization(particles)}, of, settings, 1)
    assert found.valid.tolist() == [False, True]
    assert found.counts.lost == {"no_jet": 1}


def test_pt_max_cuts_what_is_measured_alone(monkeypatch):
    """A generated jet above it, measured below, is the particle-level jet of its row."""

    def run(particles, _):
        return replace(particles, **{name: 0.9 * getattr(particles, name) for name in ("px", "py", "pz", "energy")})

    monkeypatch.setattr("resim.jets.reconstruct_views.detector_for", lambda _: SimpleNamespace(run=run))
    measured = replace(view("a"), detector=SimpleNamespace(stage=SimpleNamespace(external=False)))
    settings = SETTINGS.model_copy(update={"pt_max": 1000.0})
    of, particles = rows([parton(1050)], [parton(1200)]), events(toward(1050, 0.0), toward(1200, 0.0))
    (found,) = reconstruct([measured], {"a": realization(particles)}, of, settings, 1)
    assert found.valid.tolist() == [True, False]
    assert found.particle_level.of_row[0] >= 0
    (found,) = reconstruct([view("a")], {"a": realization(particles)}, of, settings, 1)
    assert found.valid.tolist() == [False, False]


def test_columns_of_a_view_hold_the_jet_and_its_constituents():
    of = rows([parton(300)], [parton(200)])
    particles = events([*toward(100, 0.0), particle(px=200.0, vx=0.0, vy=1.0)], [])
    (found,) = reconstruct([view("a")], {"a": realization(particles)}, of, SETTINGS, 1)
    columns = view_columns(found, of, SETTINGS)
    assert columns["valid"].tolist() == [True, False]
    assert columns["offsets"].tolist() == [0, 3, 3]
    assert columns["constituents/pt"].tolist() == pytest.approx([200, 50, 50])  # descending
    assert columns["constituents/d0"][0] == pytest.approx(-1.0)  # (x py - y px) / pT
    assert columns["jets/pt"][0] == pytest.approx(200 + 100 * np.cos(0.05))
    assert columns["jets/n_constituents"].tolist() == [3, 0]
    assert np.isnan(columns["jets/pt"][1])
    assert columns["particle_jets/pt"][0] == pytest.approx(columns["jets/pt"][0])
    assert columns["seeds/shower"].tolist() == [1, 2]
