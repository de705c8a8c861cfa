"""Energy flow against a slow loop written from the description in words."""

import numpy as np
import pytest

from resim.detector.detector import GENERATED
from resim.detector.random import Stream
from tests.helpers.particles import one_event


def sigma(kind: str, eta: float, energy: float) -> float:
    """DELPHES_CMS, section 5."""
    eta = abs(eta)
    if kind == "HCal":
        a, b = (0.050, 1.50) if eta <= 3 else (0.130, 2.70)
        return np.sqrt((a * energy) ** 2 + b**2 * energy) if eta <= 5 else 0.0
    s = np.sqrt((0.008 * energy) ** 2 + 0.11**2 * energy + 0.40**2)
    if eta <= 1.5:
        return (1 + 0.64 * eta**2) * s
    return (2.16 + 5.6 * (eta - 2) ** 2) * s if eta <= 2.5 else np.sqrt((0.107 * energy) ** 2 + 2.08**2 * energy)


def fraction(kind: str, pdg_id: int) -> float:
    pdg_id = abs(pdg_id)
    if pdg_id in (12, 13, 14, 16):
        return 0.0
    share = 1.0 if pdg_id in (11, 22, 111) else 0.3 if pdg_id in (310, 3122) else 0.0
    return share if kind == "ECal" else 1 - share


def slow_calorimeter(kind, segmentation, particles, tracks, stream):
    """One tower after the other, as DELPHES_CMS describes it, section 5, steps 1 to 6; one event."""
    minimum, significance = (0.5, 2.0) if kind == "ECal" else (1.0, 1.0)
    towers: dict[int, tuple[list, list]] = {}
    passed = []
    for objects, column in ((particles, 0), (tracks, 1)):
        for o in objects:
            tower = int(segmentation.locate(np.array([o["outer_eta"]]), np.array([o["outer_phi"]]))[0])
            f = fraction(kind, o["pdg_id"])
            if tower >= 0 and f > 0:
                towers.setdefault(tower, ([], []))[column].append((o, f))
            elif tower >= 0 and column:
                passed.append(o)
    neutrals = []
    for number in sorted(towers):
        deposits, inside = towers[number]
        eta = float(segmentation.centre_eta(np.array([number]))[0])
        true = sum(f * p["energy"] for p, f in deposits)
        normal = float(stream.normal(np.array([0]), np.array([number]), 0)[0])
        b = np.sqrt(np.log(1 + (sigma(kind, eta, true) / true) ** 2)) if true > 0 else 0.0
        energy = np.exp(np.log(true) - b**2 / 2 + b * normal) if true > 0 else 0.0
        s = sigma(kind, eta, energy)
        if energy < minimum or energy < significance * s:
            energy = 0.0
        on_tracks = sum(f * t["energy"] for t, f in inside)
        variance = sum((t["resolution"] * t["energy"]) ** 2 for t, _ in inside)
        excess = max(energy - on_tracks, 0.0)
        if excess > minimum and excess / np.sqrt(variance + s**2) > significance:
            neutrals.append((number, excess))
            scale = 1.0
        elif on_tracks > 0:
            weight_t, weight_c = (1 / v if v > 0 else 0.0 for v in (variance, s**2))
            scale = (weight_t * on_tracks + weight_c * energy) / (weight_t + weight_c) / on_tracks
        else:
            continue
        for track, _ in inside:
            pt = track["pt"] * scale
            passed.append(
                track | {"pt": pt, "energy": np.sqrt((pt * np.hypot(1, track["slope"])) ** 2 + track["mass"] ** 2)}
            )
    return sorted(passed, key=lambda o: o["item"]), neutrals


def rows(objects) -> list[dict]:
    names = ("item", "pdg_id", "pt", "energy", "slope", "mass", "resolution", "outer_eta", "outer_phi")
    columns = {name: getattr(objects, name).tolist() for name in names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.slow
def test_energy_flow_agrees_with_a_slow_loop(cms, recording):
    modules = dict(cms.modules)
    n_neutrals = n_scaled = 0
    for event in range(6):
        seeds = np.array([event], np.uint64)
        arrays = {GENERATED: one_event(recording.particles, event)}
        for name, module in modules.items():
            made = module.run(*(arrays[i] for i in module.inputs), stream=Stream.of(seeds, name))
            arrays.update(zip(module.outputs, made, strict=True))
        particles, tracks = rows(arrays["ParticlePropagator/stableParticles"]), rows(arrays["TrackMerger/tracks"])
        for kind, neutral in (("ECal", "eflowPhotons"), ("HCal", "eflowNeutralHadrons")):
            stream = Stream.of(seeds, kind)
            before = {t["item"]: t["pt"] for t in tracks}
            tracks, neutrals = slow_calorimeter(kind, modules[kind].segmentation, particles, tracks, stream)
            fast = arrays[f"{kind}/{neutral}"]
            assert fast.item.tolist() == [number for number, _ in neutrals]
            assert fast.energy == pytest.approx([energy for _, energy in neutrals], rel=1e-9)
            flow = arrays[f"{kind}/eflowTracks"]
            order = np.argsort(flow.item)
            assert flow.item[order].tolist() == [t["item"] for t in tracks]
            assert flow.pt[order] == pytest.approx([t["pt"] for t in tracks], rel=1e-9)
            assert flow.energy[order] == pytest.approx([t["energy"] for t in tracks], rel=1e-9)
            n_neutrals += len(neutrals)
            n_scaled += sum(before[t["item"]] != t["pt"] for t in tracks)
    assert n_neutrals > 300
    assert n_scaled > 100
