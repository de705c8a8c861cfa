"""PUPPI against a loop over particles, written from the description in words."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2 as chi2_distribution

from resim.detector.neighbours import Points
from resim.detector.puppi import HARD, NEUTRAL, PILEUP, Metric, PuppiInput, Region, chi2_probability, weights

CENTRAL = Metric(metric=5, charged=True, adjust=True, multiply=False, cone=0.4, pt_min=0.1, scale=1.0)
FORWARD = (
    Metric(metric=5, charged=False, adjust=False, multiply=False, cone=0.3, pt_min=0.5, scale=1.2),
    Metric(metric=1, charged=False, adjust=False, multiply=True, cone=0.3, pt_min=0.5, scale=1.0),
    Metric(metric=0, charged=True, adjust=True, multiply=False, cone=0.5, pt_min=0.2, scale=1.0),
)
REGIONS = (Region(0.0, 2.5, 0.0, 0.2, 0.006, (CENTRAL,)), Region(2.5, 4.0, 0.3, 0.2, 0.013, FORWARD))
MASSES = {NEUTRAL: 0.0, HARD: 0.13957, PILEUP: 0.93827}


def drawn(generator: np.random.Generator, n_events: int, n: int) -> PuppiInput:
    """Particles around the axis of a jet and everywhere else."""
    event = np.sort(generator.integers(0, n_events, n))
    kind = generator.integers(0, 3, n)
    jet = generator.random(n) < 0.3
    y = np.where(jet, generator.normal(1.0, 0.3, n), generator.uniform(-4.5, 4.5, n))
    phi = np.where(jet, generator.normal(3.1, 0.3, n), generator.uniform(-np.pi, np.pi, n))
    pt = np.float32(generator.exponential(2.0, n)).astype(float)
    y = np.float32(y).astype(float)
    mass = np.array([MASSES[int(k)] for k in kind])
    eta = np.arcsinh(np.sqrt(1 + (mass / pt) ** 2) * np.sinh(y))
    return PuppiInput(Points(event, y, (phi + np.pi) % (2 * np.pi) - np.pi), pt, eta, y, kind)


def slow_shape(metric: Metric, particles: list[dict], centre: dict) -> float:
    total = 0.0
    for other in particles:
        if metric.charged and other["kind"] != HARD:
            continue
        turn = abs(centre["phi"] - other["phi"])
        turn = min(turn, 2 * math.pi - turn)
        if turn**2 + (centre["y"] - other["y"]) ** 2 > metric.cone**2:
            continue
        r2 = turn**2 + (centre["eta"] - other["eta"]) ** 2
        if r2 < 1e-4:
            continue
        total += {
            0: other["pt"] / r2,
            1: other["pt"],
            2: 1 / r2,
            3: 1 / r2,
            4: other["pt"],
            5: other["pt"] ** 2 / r2,
        }[metric.metric]
    if metric.metric == 1:
        total += centre["pt"]
    return math.log(total) if metric.metric in (0, 3, 5) and total != 0 else total


def region_of(eta: float, pt: float) -> int:
    inside = [i for i, r in enumerate(REGIONS) if r.eta_min <= abs(eta) <= r.eta_max and pt >= r.pt_min]
    return inside[0] if inside else -1


def slow_reference(metric: Metric, sure: list[float], hard: list[float]) -> tuple[float, float]:
    """Median from the last zero on, spread without zeros (below the median: few collisions), and its correction."""
    sure = sorted(sure)
    zeros = [i for i, value in enumerate(sure) if value == 0]
    rest = sure[zeros[-1] if zeros else 0 :]
    median = rest[len(rest) // 2]
    squares = [(v - median) ** 2 for v in sure if v != 0 and not (metric.adjust and v > median)]
    variance = sum(squares) / len(squares) if squares else 0.0
    spread = math.sqrt(variance or 1e-5) * metric.scale
    if metric.adjust:
        below = sum(v <= median for v in hard)
        share = below / (below + 0.5 * len(sure))
        shift = math.sqrt(chi2_distribution.ppf(share, 1) * spread) if share > 0 else 0.0
        median, spread = median - shift, spread - shift
    return median, spread


def slow_weights(particles: list[dict], n_vertices: int, weight_min: float) -> list[float]:
    """One event."""
    shapes: list[list[float]] = [[-1.0] * len(particles) for _ in range(3)]
    references = {}
    for number, region in enumerate(REGIONS):
        hard: list[float] = []
        for place, metric in enumerate(region.metrics):
            sure = []
            for i, p in enumerate(particles):
                if region_of(p["eta"], p["pt"]) != number:
                    continue
                value = shapes[place][i] = slow_shape(metric, particles, p)
                if p["pt"] < metric.pt_min:
                    continue
                if metric.charged and p["kind"] == HARD:
                    hard.append(value)
                if not metric.charged or p["kind"] == PILEUP:
                    sure.append(value)
            references[number, place] = slow_reference(metric, sure, hard) if sure else None
    found = []
    for i, p in enumerate(particles):
        number = region_of(p["y"], p["pt"])
        if number < 0 or p["kind"] == PILEUP:
            found.append(0.0)
        elif p["kind"] == HARD:
            found.append(1.0)
        else:
            weight = slow_weight(number, [row[i] for row in shapes], references)
            region = REGIONS[number]
            lost = weight < weight_min or weight * p["pt"] < region.neutral_min + n_vertices * region.neutral_slope
            found.append(0.0 if lost else weight)
    return found


def slow_weight(number: int, values: list[float], references: dict) -> float:
    probability, chi2, degrees = 1.0, 0.0, 0
    for place, metric in enumerate(REGIONS[number].metrics):
        if references[number, place] is None:
            return 1.0
        if metric.multiply and place > 0:
            probability, chi2, degrees = probability * chi2_distribution.cdf(chi2, degrees), 0.0, 0
        median, spread = references[number, place]
        value = median if metric.metric in (0, 3, 5) and values[place] == 0 else values[place]
        chi2 += (value - median) * abs(value - median) / spread**2
        degrees += 1
    return probability * chi2_distribution.cdf(chi2, degrees)


def rows(p: PuppiInput, event: int) -> list[dict]:
    columns = {"y": p.points.y, "phi": p.points.phi, "pt": p.pt, "eta": p.eta, "kind": p.kind}
    return [{name: c[i].item() for name, c in columns.items()} for i in np.flatnonzero(p.points.event == event)]


def test_weights_agree_with_a_loop_over_particles():
    generator = np.random.default_rng(3)
    particles = drawn(generator, 6, 900)
    n_vertices = generator.integers(1, 40, 6)
    found = weights(particles, REGIONS, n_vertices, 0.05)
    expected = [w for event in range(6) for w in slow_weights(rows(particles, event), int(n_vertices[event]), 0.05)]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)
    neutral = found[particles.kind == NEUTRAL]
    assert ((neutral > 0) & (neutral < 1)).sum() > 60
    assert (neutral == 0).sum() > 60


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(0, 2))
def test_weights_are_probabilities_and_know_nothing_of_other_events(seed, n, event):
    """Bit by bit: the same event alone, and after others."""
    generator = np.random.default_rng(seed)
    particles, n_vertices = drawn(generator, 3, n), generator.integers(1, 40, 3)
    together = weights(particles, REGIONS, n_vertices, 0.05)
    assert ((together == 0) | ((together >= 0.05) & (together <= 1))).all()
    inside = np.flatnonzero(particles.points.event == event)
    points = Points(np.zeros(len(inside), np.int64), particles.points.y[inside], particles.points.phi[inside])
    columns = (getattr(particles, name)[inside] for name in ("pt", "eta", "region_eta", "kind"))
    alone = weights(PuppiInput(points, *columns), REGIONS, n_vertices[[event]], 0.05)
    assert np.array_equal(alone, together[inside])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_weights_do_not_depend_on_where_azimuth_begins(seed, angle):
    particles = drawn(np.random.default_rng(seed), 2, 80)
    turned = (particles.points.phi + angle + np.pi) % (2 * np.pi) - np.pi
    points = Points(particles.points.event, particles.points.y, turned)
    columns = (getattr(particles, name) for name in ("pt", "eta", "region_eta", "kind"))
    found = weights(PuppiInput(points, *columns), REGIONS[:1], np.ones(2, int), 0.0)
    expected = weights(particles, REGIONS[:1], np.ones(2, int), 0.0)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_without_tracks_of_pileup_everything_of_a_region_counts():
    """The threshold of neutral particles stays: 0.2 GeV and 6 MeV for each vertex."""
    particles = drawn(np.random.default_rng(4), 1, 200)
    kind = np.where(particles.kind == PILEUP, HARD, particles.kind)
    found = weights(
        PuppiInput(particles.points, particles.pt, particles.eta, particles.region_eta, kind),
        REGIONS[:1],
        np.array([5]),
        0.0,
    )
    inside = np.abs(particles.region_eta) <= 2.5
    assert np.array_equal(found, np.where(inside & ((kind == HARD) | (particles.pt >= 0.23)), 1.0, 0.0))


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5])
def test_the_probability_of_a_smaller_chi2(degrees):
    values = np.array([-3.0, 0.0, 1e-9, 0.1, 1.0, 4.0, 30.0, 1e5])
    assert chi2_probability(values, degrees) == pytest.approx(chi2_distribution.cdf(values, degrees), abs=1e-12)
