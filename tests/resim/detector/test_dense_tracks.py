"""DenseTrackFilter against a loop over tracks, behind two propagations as in the CMS cards for Phase II."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resim.common.errors import InputError
from resim.detector import Detector
from resim.detector.detector import GENERATED
from resim.detector.objects import Objects
from resim.detector.random import Stream
from resim.particles import Particles
from tests.helpers.particles import events, part, particle

CARD = """
set ExecutionPath {ParticlePropagator TrackMergerProp DenseProp DenseMergeTracks DenseTrackFilter EFlowMerger}
module ParticlePropagator ParticlePropagator { set Radius 1.29; set HalfLength 3; set Bz 3.8 }
module Merger TrackMergerProp {
  add InputArray ParticlePropagator/chargedHadrons ParticlePropagator/electrons ParticlePropagator/muons
  set OutputArray tracks
}
module ParticlePropagator DenseProp {
  set InputArray TrackMergerProp/tracks
  set Radius 0.3; set RadiusMax 1.29; set HalfLength 0.7; set HalfLengthMax 3; set Bz 3.8
}
module Merger DenseMergeTracks {
  add InputArray DenseProp/chargedHadrons DenseProp/electrons DenseProp/muons
  set OutputArray tracks
}
module DenseTrackFilter DenseTrackFilter {
  set TrackInputArray DenseMergeTracks/tracks
  set EtaPhiRes %s
  set PhiBins {}
  for {set k -20} {$k <= 20} {incr k} { add PhiBins [expr {$k * acos(-1) / 20}] }
  for {set k -30} {$k <= 30} {incr k} { add EtaPhiBins [expr {$k * 0.1}] $PhiBins }
}
module Merger EFlowMerger {
  add InputArray DenseTrackFilter/chargedHadrons DenseTrackFilter/electrons DenseTrackFilter/muons
  set OutputArray eflow
}
"""


FIRST = """
set ExecutionPath {DenseProp DenseMergeTracks DenseFilter DenseMergeTracksNeutrals ParticlePropagator EFlowMerger}
module ParticlePropagator DenseProp { set Radius 0.3; set HalfLength 0.7; set Bz 3.8 }
module Merger DenseMergeTracks {
  add InputArray DenseProp/chargedHadrons DenseProp/electrons DenseProp/muons
  set OutputArray tracks
}
module DenseTrackFilter DenseFilter {
  set TrackInputArray DenseMergeTracks/tracks
  set EtaPhiRes 0.02
  set PhiBins {}
  for {set k -20} {$k <= 20} {incr k} { add PhiBins [expr {$k * acos(-1) / 20}] }
  for {set k -30} {$k <= 30} {incr k} { add EtaPhiBins [expr {$k * 0.1}] $PhiBins }
}
module Merger DenseMergeTracksNeutrals {
  add InputArray DenseProp/neutralParticles
  add InputArray DenseFilter/tracks
  set OutputArray stableParticles
}
module ParticlePropagator ParticlePropagator {
  set InputArray DenseMergeTracksNeutrals/stableParticles
  set Radius 1.29; set HalfLength 3; set Bz 3.8
}
module Merger EFlowMerger { add InputArray %s; set OutputArray eflow }
"""
"""The filter before the propagation to the calorimeters, as in older CMS cards for Phase II."""


@pytest.fixture(scope="module")
def filters(tmp_path_factory) -> dict[str, Detector]:
    folder = tmp_path_factory.mktemp("dense")
    made = {}
    for resolution in ("0", "0.02"):
        (folder / f"{resolution}.tcl").write_text(CARD % resolution)
        made[resolution] = Detector.from_card(folder / f"{resolution}.tcl")
    return made


def drawn(seed: int, n_events: int, n: int) -> Particles:
    """Tracks around an axis, a tenth of them from beyond the first layer; electrons, muons and photons among them."""
    generator = np.random.default_rng(seed)
    lists: list[list[np.ndarray]] = []
    for _ in range(n_events):
        rows = []
        for _ in range(n):
            eta, phi = generator.normal(0.5, 0.3), generator.normal(3.1, 0.2)
            pt = round(generator.exponential(3.0), 1) + 0.5  # equal ones happen
            pdg_id = int(generator.choice([211, -211, 11, 13, 22]))
            charge = {211: 1, -211: -1, 11: -1, 13: -1, 22: 0}[pdg_id]
            far = generator.random() < 0.1
            columns = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "vx": 400.0 * far}
            rows.append(particle(pdg_id=pdg_id, charge=charge, mass=0.1 if charge else 0.0, **columns))
        lists.append(rows)
    return events(*lists)


def arrays_of(detector: Detector, particles: Particles, seeds: np.ndarray) -> dict[str, Objects]:
    arrays = {GENERATED: particles}
    for name, module in detector.modules:
        made = module.run(*(arrays[i] for i in module.inputs), stream=Stream.of(seeds, name))
        arrays.update(zip(module.outputs, made, strict=True))
    return arrays


def test_one_track_of_each_cell_is_kept_where_the_calorimeter_is(filters):
    particles = drawn(1, 4, 60)
    arrays = arrays_of(filters["0"], particles, np.zeros(4, np.uint64))
    inner, tracks, kept = (
        arrays[f"{name}/tracks"] for name in ("DenseMergeTracks", "TrackMergerProp", "DenseTrackFilter")
    )
    best: dict[tuple, int] = {}
    for i in range(len(inner)):
        if abs(inner.outer_eta[i]) <= 3:
            cell = (inner.event[i], np.ceil(inner.outer_eta[i] / 0.1), np.ceil(inner.outer_phi[i] / (np.pi / 20)))
            if cell not in best or inner.pt[i] > inner.pt[best[cell]]:
                best[cell] = i
    expected = {(int(inner.event[i]), int(inner.item[i])) for i in best.values()}
    assert sorted(zip(kept.event.tolist(), kept.item.tolist(), strict=True)) == sorted(expected)
    assert len(expected) < 0.8 * len(inner) < 0.8 * len(tracks)  # those from beyond the layer are not in it
    where = {(e, i): n for n, (e, i) in enumerate(zip(tracks.event.tolist(), tracks.item.tolist(), strict=True))}
    same = tracks.select(np.array([where[key] for key in zip(kept.event.tolist(), kept.item.tolist(), strict=True)]))
    for column in ("outer_eta", "outer_phi", "pt", "d0", "dz", "mass"):
        assert np.array_equal(getattr(kept, column), getattr(same, column)), column
    assert kept.slope == pytest.approx(same.slope)
    parts = [arrays[f"DenseTrackFilter/{kind}"] for kind in ("chargedHadrons", "electrons", "muons")]
    assert sum(map(len, parts)) == len(kept)
    assert [set(np.abs(p.pdg_id).tolist()) for p in parts] == [{211}, {11}, {13}]


def test_directions_are_smeared_and_transverse_momenta_are_not(filters):
    particles = drawn(2, 40, 40)
    seeds = np.arange(40, dtype=np.uint64)
    exact, smeared = (arrays_of(filters[r], particles, seeds)["DenseTrackFilter/tracks"] for r in ("0", "0.02"))
    assert np.array_equal(exact.item, smeared.item)
    assert np.array_equal(exact.pt, smeared.pt)
    assert smeared.energy == pytest.approx(np.sqrt((smeared.pt * np.cosh(smeared.eta)) ** 2 + smeared.mass**2))
    turn = (smeared.phi - exact.phi + np.pi) % (2 * np.pi) - np.pi
    for shift in (smeared.eta - exact.eta, turn):
        assert shift.mean() == pytest.approx(0, abs=4 * 0.02 / np.sqrt(len(shift)))
        assert shift.std() == pytest.approx(0.02, rel=4 / np.sqrt(2 * len(shift)))
    assert abs(np.corrcoef(smeared.eta - exact.eta, turn)[0, 1]) < 4 / np.sqrt(len(turn))


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2))
def test_an_event_knows_nothing_of_the_others(filters, seed, event):
    particles, seeds = drawn(seed, 3, 8), [5, 6, 7]
    together = filters["0.02"].run(particles, seeds)
    alone = filters["0.02"].run(part(particles, event, event + 1), [seeds[event]])
    inside = slice(*together.offsets[event : event + 2])
    for column in ("px", "py", "pz", "energy", "origin", "pdg_id", "d0"):
        assert np.array_equal(getattr(alone, column), getattr(together, column)[inside])


def test_a_filter_before_the_propagation_takes_particles_from_the_calorimeters(tmp_path, filters):
    """What is left is propagated from where it was produced, with its generated momentum, as if nothing had been before."""
    (tmp_path / "first.tcl").write_text(FIRST % "ParticlePropagator/stableParticles")
    particles, seeds = drawn(3, 4, 60), np.zeros(4, np.uint64)
    arrays = arrays_of(Detector.from_card(tmp_path / "first.tcl"), particles, seeds)
    found = arrays["ParticlePropagator/stableParticles"]
    plain, after = (
        arrays_of(filters["0"], particles, seeds)[name]
        for name in ("ParticlePropagator/stableParticles", "DenseTrackFilter/tracks")
    )
    keys = list(zip(found.event.tolist(), found.item.tolist(), strict=True))
    kept = set(zip(after.event.tolist(), after.item.tolist(), strict=True))
    near = {
        (int(e), int(i))
        for e, i, c in zip(plain.event, plain.item, plain.charge, strict=True)
        if c == 0
        and particles.vx[particles.offsets[e] + i] == 0  # a photon from beyond the layer is not in its output
    }
    assert set(keys) == kept | near
    where = {(e, i): n for n, (e, i) in enumerate(zip(plain.event.tolist(), plain.item.tolist(), strict=True))}
    same = plain.select(np.array([where[key] for key in keys]))
    for column in ("outer_eta", "outer_phi", "pt", "slope", "ux", "d0"):
        assert np.array_equal(getattr(found, column), getattr(same, column)), column
    (tmp_path / "first.tcl").write_text(FIRST % "DenseFilter/tracks")
    with pytest.raises(
        InputError, match="EFlowMerger: reads DenseFilter/tracks, tracks of a DenseTrackFilter that were not"
    ):
        Detector.from_card(tmp_path / "first.tcl")
