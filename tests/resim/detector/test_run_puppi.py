"""RunPUPPI as a module: what it reads from a card and what it makes of objects."""

from pathlib import Path

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.detector.card import CardModule
from resim.detector.objects import Objects
from resim.detector.pileup import Vertices
from resim.detector.random import Stream
from resim.detector.run_puppi import RunPUPPI

COLUMNS = {
    "EtaMinBin": "0 2.5 2.5 4",
    "EtaMaxBin": "2.5 4 4 5",
    "PtMinBin": "0 0.5 0.5 0.5",
    "ConeSizeBin": "0.4 0.3 0.3 0.2",
    "RMSPtMinBin": "0.1 0.5 0.5 0.5",
    "RMSScaleFactorBin": "1 1 1.5 1",
    "NeutralMinEBin": "0.2 1 1 1.5",
    "NeutralPtSlope": "0.02 0.03 0.03 0.04",
    "UseCharged": "true false false 0",
    "ApplyLowPUCorr": "true on off true",
    "MetricId": "5 5 1 -1",
    "CombId": "0 0 1 0",
}
STREAM = Stream.of(np.zeros(1, np.uint64), "RunPUPPI")


def module(**parameters: str) -> RunPUPPI:
    return RunPUPPI.from_card(CardModule(Path("card.tcl"), "RunPUPPI", "RunPUPPI", 1, COLUMNS | parameters, {}))


def objects(**columns: list[float]) -> Objects:
    n = len(columns["pt"])
    default = {"event": [0] * n, "charge": [0] * n, "mass": [0] * n, "eta": [0] * n, "phi": [0] * n}
    c = {name: np.array(values, float) for name, values in (default | columns).items()}
    slope = np.sinh(c["eta"])
    made = Objects.of(
        event=c["event"].astype(np.int64), item=np.arange(n), pdg_id=np.full(n, 211, np.int32), charge=c["charge"],
        mass=c["mass"], ux=np.cos(c["phi"]), uy=np.sin(c["phi"]), slope=slope,
        subtracted=c.get("subtracted", np.zeros(n)).astype(bool),
    )  # fmt: skip
    return made.with_pt(c["pt"])


def vertices(*counts: int) -> Vertices:
    zeros = np.zeros(len(counts))
    return Vertices(None, zeros.astype(np.int64), zeros, zeros, np.array(counts))


def test_columns_with_one_range_are_metrics_of_one_region():
    puppi = module()
    assert puppi.inputs == ("Calorimeter/towers", "Calorimeter/towers", "PV")
    assert puppi.outputs == ("RunPUPPI/puppiParticles", "RunPUPPI/puppiTracks", "RunPUPPI/puppiNeutrals")
    assert puppi.weight_min == 0.01
    assert [(r.eta_min, r.eta_max, len(r.metrics)) for r in puppi.regions] == [(0, 2.5, 1), (2.5, 4, 2), (4, 5, 1)]
    first, second = puppi.regions[1].metrics
    assert (first.metric, first.charged, first.adjust, first.multiply, first.scale) == (5, False, True, False, 1.0)
    assert (second.metric, second.adjust, second.multiply, second.scale) == (1, False, True, 1.5)
    assert (puppi.regions[1].neutral_min, puppi.regions[1].neutral_slope) == (1, 0.03)


def test_tracks_of_pileup_go_and_those_of_the_hard_collision_stay():
    tracks = objects(pt=[5, 6, 7, 8], charge=[1, -1, 1, 1], subtracted=[0, 1, 0, 0], eta=[0.5, 0.5, -3, 6])
    everything, left, neutrals = module().run(tracks, objects(pt=[]), vertices(1), stream=STREAM)
    assert left.item.tolist() == everything.item.tolist() == [0, 2]  # the last one is in no region
    assert len(neutrals) == 0


def test_the_pseudorapidity_of_a_track_becomes_its_rapidity():
    """As in Delphes, where pT, eta, phi and m are taken for pT, y, phi and m."""
    (proton,) = objects(pt=[0.5], charge=[1], mass=[0.93827], eta=[2.0], phi=[1.0]).pt
    tracks = objects(pt=[0.5], charge=[1], mass=[0.93827], eta=[2.0], phi=[1.0])
    found, *_ = module().run(tracks, objects(pt=[]), vertices(1), stream=STREAM)
    pz = found.pt * found.slope
    assert found.pt == pytest.approx(proton, rel=1e-7)
    assert np.arctanh(pz / found.energy) == pytest.approx(2.0, rel=1e-6)
    assert found.mass == pytest.approx(0.93827, rel=1e-7)
    assert found.phi == pytest.approx(1.0, rel=1e-7)


def test_a_neutral_candidate_is_scaled_by_its_weight():
    """Two tracks of pile-up with alpha 1 and 3 in effect: median 3, spread from the lower one; alpha of the photon between."""
    generator = np.random.default_rng(2)
    n = 60
    hard = objects(
        pt=generator.exponential(3, n),
        charge=np.ones(n),
        eta=generator.normal(0, 0.5, n),
        phi=generator.normal(0, 0.5, n),
    )
    pileup = objects(
        pt=generator.exponential(1, n), charge=np.ones(n), eta=generator.uniform(-2, 2, n),
        phi=generator.uniform(-3, 3, n), subtracted=np.ones(n),
    )  # fmt: skip
    tracks = Objects(*(np.concatenate([getattr(p, c) for p in (hard, pileup)]) for c in Objects.__slots__))
    photons = objects(pt=np.full(n, 5.0), eta=generator.uniform(-1, 1, n), phi=generator.uniform(-1, 1, n))
    _, _, neutrals = module().run(tracks, photons, vertices(11), stream=STREAM)
    weight = neutrals.pt / 5
    assert ((weight > 0) & (weight < 0.99)).sum() > 5
    before = photons.select(neutrals.item)
    assert neutrals.energy == pytest.approx(weight * before.energy, rel=1e-6)
    assert neutrals.eta == pytest.approx(before.eta, rel=1e-6, abs=1e-6)
    thresholds = 0.2 + 0.02 * int(0.7 * 11)
    assert neutrals.pt.min() >= thresholds
    assert len(neutrals) < n


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"MetricId": "5 5 1 7"}, r"RunPUPPI.MetricId: 7 is no metric; want one of \(-1, 0"),
        ({"ConeSizeBin": "0 1 1 1"}, "ConeSizeBin: 0 is not positive"),
        ({"CombId": "0 0"}, "CombId: has 2 values, EtaMinBin has 4"),
        ({"UseCharged": "true perhaps 0 0"}, "UseCharged: 'perhaps' is not a boolean"),
        ({"EtaMaxBin": "2.5 4 4 inf"}, "EtaMaxBin: .* not all finite"),
    ],
)
def test_wrong_parameters_are_named(parameters, message):
    with pytest.raises(InputError, match=message):
        module(**parameters)


def test_without_regions_it_is_refused():
    """The RunPUPPI of Delphes before 3.3 had other parameters."""
    card = CardModule(Path("card.tcl"), "RunPUPPI", "RunPUPPI", 1, {"TrackerEta": "2.5"}, {})
    with pytest.raises(InputError, match=r"no EtaMinBin; add `add EtaMinBin ...` with one value for each range"):
        RunPUPPI.from_card(card)
