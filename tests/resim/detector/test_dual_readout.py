"""The dual-readout calorimeter against a loop over towers, written from the description in words."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resim.detector.card import CardModule
from resim.detector.dual_readout import DualReadoutCalorimeter
from resim.detector.objects import Objects
from resim.detector.random import Stream

SHARES = {0: (0.0, 1.0), 11: (1.0, 0.0), 22: (1.0, 0.0), 13: (0.0, 0.0), 310: (0.3, 0.7)}
MINIMUM = (2.0, 2.5)
ETA, PHI = [-2, -1, 0, 1, 2], [-math.pi, -1.5, 0, 1.5, math.pi]
KAON = 0.497611


def calorimeter(**parameters: str) -> DualReadoutCalorimeter:
    base = {
        "EtaPhiBins": f"{{{' '.join(map(str, ETA))}}} {{{' '.join(map(str, PHI))}}}",
        "EnergyFraction": " ".join(f"{{{pdg_id}}} {{{em} {had}}}" for pdg_id, (em, had) in SHARES.items()),
        "ECalResolutionFormula": "sqrt(0.01*energy + 0.05)",
        "HCalResolutionFormula": "sqrt(0.09*energy + 0.1 + 0.01*eta^2)",
        "ECalMinSignificance": "2.0",
        "HCalMinSignificance": "2.5",
    }
    return DualReadoutCalorimeter.from_card(
        CardModule(Path("c.tcl"), "DualReadoutCalorimeter", "Calo", 1, base | parameters, {})
    )


def sigma(hadronic: bool, eta: float, energy: float) -> float:
    return math.sqrt(0.09 * energy + 0.1 + 0.01 * eta**2) if hadronic else math.sqrt(0.01 * energy + 0.05)


def drawn(seed: int, n_events: int, n: int) -> tuple[Objects, Objects]:
    """Particles, and the tracks of most charged ones; a few outside the towers."""
    g = np.random.default_rng(seed)
    pdg_id = g.choice([211, 11, 22, 13, 130, 310], n).astype(np.int32)
    charge = np.isin(pdg_id, [211, 11, 13]).astype(float)
    outer_eta, phi = g.uniform(-2.2, 2.2, n), g.uniform(-np.pi, np.pi, n)
    made = Objects.of(
        event=np.sort(g.integers(0, n_events, n)), item=np.arange(n), pdg_id=pdg_id, charge=charge,
        mass=np.where(charge != 0, 0.13957, 0.0), ux=np.cos(phi), uy=np.sin(phi), slope=np.sinh(outer_eta),
        outer_eta=outer_eta, outer_phi=phi, resolution=g.choice([0.001, 0.05, 0.3], n),
    ).with_pt(g.exponential(3.0, n) + 0.1)  # fmt: skip
    tracks = made.select((charge != 0) & (g.random(n) < 0.8))
    return made, tracks.with_pt(tracks.pt * g.lognormal(0, 0.1, len(tracks)))


def slow(particles: Objects, tracks: Objects, stream: Stream, lognormal: bool) -> tuple[dict, dict, dict]:
    """Tracks by number, photons and neutral hadrons by event and tower."""
    towers: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    for column, objects in enumerate((particles, tracks)):
        for i in range(len(objects)):
            e, p = float(objects.outer_eta[i]), float(objects.outer_phi[i])
            row = [k for k in range(4) if ETA[k] < e <= ETA[k + 1]]
            cell = [k for k in range(4) if PHI[k] < p <= PHI[k + 1]]
            share = SHARES.get(abs(int(objects.pdg_id[i])), SHARES[0])
            if row and cell and (column or sum(share) > 0):
                towers.setdefault((int(objects.event[i]), row[0] * 4 + cell[0]), ([], []))[column].append(i)
    passed, photons, hadrons = {}, {}, {}
    for (event, number), (deposits, inside) in towers.items():
        eta = (ETA[number // 4] + ETA[number // 4 + 1]) / 2
        parts = [SHARES.get(abs(int(particles.pdg_id[i])), SHARES[0]) for i in deposits]
        hadronic = any(h > 0 for _, h in parts)
        true = float(sum((em + h) * particles.energy[i] for (em, h), i in zip(parts, deposits, strict=True)))
        normal = float(stream.normal(np.array([event]), np.array([number]), 0)[0])
        s = sigma(hadronic, eta, true)
        if not lognormal:
            energy = max(true + s * normal, 0.0)
        elif true > 0:
            b2 = math.log(1 + (s / true) ** 2)
            energy = true * math.exp(math.sqrt(b2) * normal - b2 / 2)
        else:
            energy = 0.0
        s, minimum = sigma(hadronic, eta, energy), MINIMUM[hadronic]
        energy = energy if energy > minimum * s else 0.0
        on_tracks = variance = 0.0
        for i in inside:
            em, h = SHARES.get(abs(int(tracks.pdg_id[i])), SHARES[0])
            if em + h == 0:
                passed[int(tracks.item[i])] = float(tracks.pt[i])
                continue
            e, r = float(tracks.energy[i]), float(tracks.resolution[i])
            on_tracks += e * (em + h)
            variance += (r * (e * (em + h) if sigma(h > 0, eta, e) / e < r else e)) ** 2
        excess, factor = max(energy - on_tracks, 0.0), 1.0
        if excess / math.sqrt(variance + s**2) > minimum:
            (hadrons if hadronic else photons)[event, number] = excess
        elif on_tracks > 0:
            factor = (on_tracks / variance + energy / s**2) / (1 / variance + 1 / s**2) / on_tracks
        for i in inside:
            passed.setdefault(int(tracks.item[i]), float(tracks.pt[i]) * factor)
    return passed, photons, {key: e for key, e in hadrons.items() if e > KAON}


@pytest.mark.parametrize("lognormal", [True, False])
def test_energy_flow_agrees_with_a_loop_over_towers(lognormal):
    particles, tracks = drawn(1, 40, 500)
    stream = Stream.of(np.arange(40, dtype=np.uint64), "Calo")
    calo = calorimeter(SmearLogNormal=str(lognormal).lower())
    assert calo.inputs == ("ParticlePropagator/particles", "ParticlePropagator/tracks")
    assert calo.outputs == ("Calo/eflowTracks", "Calo/eflowPhotons", "Calo/eflowNeutralHadrons")
    flow, photons, hadrons = calo.run(particles, tracks, stream=stream)
    slow_tracks, *slow_neutrals = slow(particles, tracks, stream, lognormal)
    assert dict(zip(flow.item.tolist(), flow.pt.tolist(), strict=True)) == pytest.approx(slow_tracks, rel=1e-9)
    for found, expected in zip((photons, hadrons), slow_neutrals, strict=True):
        keys = zip(found.event.tolist(), found.item.tolist(), strict=True)
        assert dict(zip(keys, found.energy.tolist(), strict=True)) == pytest.approx(expected, rel=1e-9)
        assert len(found) > 30
        assert found.pt * np.sqrt(1 + found.slope**2) == pytest.approx(np.sqrt(found.energy**2 - found.mass**2))
    assert set(photons.pdg_id.tolist()) == {22}
    assert set(photons.mass.tolist()) == {0.0}
    assert set(hadrons.pdg_id.tolist()) == {0}
    assert set(hadrons.mass.tolist()) == {KAON}
    before = dict(zip(tracks.item.tolist(), tracks.pt.tolist(), strict=True))
    assert sum(pt != pytest.approx(before[item]) for item, pt in slow_tracks.items()) > 30


def test_without_any_error_no_excess_is_significant_and_tracks_stay():
    """As in Delphes, which asks for more than 0 standard deviations of 0 GeV."""
    zero = {"ECalResolutionFormula": "0", "HCalResolutionFormula": "0"}
    particles, tracks = drawn(2, 1, 40)
    tracks = Objects(*(np.zeros(len(tracks)) if c == "resolution" else getattr(tracks, c) for c in Objects.__slots__))
    flow, *neutrals = calorimeter(**zero).run(particles, tracks, stream=Stream.of(np.zeros(1, np.uint64), "Calo"))
    assert [len(found) for found in neutrals] == [0, 0]
    inside = np.abs(tracks.outer_eta) <= 2
    assert np.array_equal(flow.pt, tracks.pt[inside])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2), st.booleans())
def test_an_event_knows_nothing_of_the_others(seed, event, centre):
    particles, tracks = drawn(seed, 3, 40)
    calo = calorimeter(SmearTowerCenter=str(centre).lower())
    seeds = np.array([3, 4, 5], np.uint64)
    together = calo.run(particles, tracks, stream=Stream.of(seeds, "Calo"))
    mine = [objects.select(objects.event == event) for objects in (particles, tracks)]
    alone = [Objects(*(getattr(o, c) * (c != "event") for c in Objects.__slots__)) for o in mine]
    found = calo.run(*alone, stream=Stream.of(seeds[[event]], "Calo"))
    for ours, all_of_them in zip(found, together, strict=True):
        theirs = all_of_them.select(all_of_them.event == event)
        for column in ("item", "pt", "energy", "slope", "ux", "uy", "mass", "pdg_id"):
            assert np.array_equal(getattr(ours, column), getattr(theirs, column))
