import numpy as np
import pytest

from jetssl.evaluation import bootstrap as bootstrap_module
from jetssl.evaluation.bootstrap import Sample, bootstrap, error_parts, spread


def test_hard_scatters_stay_together_and_fits_sum_to_one():
    groups = np.array([7, 7, 3, 9, 9, 9])
    for replica in list(Sample(groups, 3, 4).replicas(1))[:20]:
        assert replica.jets[0] == replica.jets[1]
        assert len(set(replica.jets[3:])) == 1
        assert replica.jets[[0, 2, 3]].sum() == 3
        assert (replica.seeds.shape, replica.draws.shape) == ((3,), (4,))
        assert np.isclose([replica.seeds.sum(), replica.draws.sum()], 1).all()


@pytest.mark.slow
def test_errors_cover(rng, monkeypatch):
    """Of 200 repetitions with noise of jets, draws and seeds, 60 to 76 % hold the truth within one error."""
    monkeypatch.setattr(bootstrap_module, "N_REPLICAS", 100)
    inside = 0
    for repetition in range(200):
        jets = rng.normal(size=50)
        of_seed, of_draw = 0.2 * rng.normal(size=5), 0.2 * rng.normal(size=10)
        means = of_seed[:, None] + of_draw

        def statistic(weights, jets=jets, mean=0.0):
            return np.array([mean + (weights * jets).sum() / weights.sum()])

        statistics = [[lambda w, m=m, s=statistic: s(w, mean=m) for m in row] for row in means]
        found = bootstrap(statistics, Sample(np.arange(50), 5, 10), repetition)
        inside += abs(jets.mean() + means.mean()) < spread(found[0, :, 0])
    assert 0.60 <= inside / 200 <= 0.76


def test_parts_of_an_error_are_those_of_what_varies(rng):
    """Of independent sources the squares add up to the whole; each is the error of a mean."""
    jets, of_seed, of_draw = rng.normal(size=400), 0.1 * rng.normal(size=6), 0.1 * rng.normal(size=30)

    def statistic(mean):
        return lambda weights: np.array([mean + (weights * jets).sum() / weights.sum()])

    sample = Sample(np.arange(400), 6, 30)
    replicas = bootstrap([[statistic(s + d) for d in of_draw] for s in of_seed], sample, 1)[..., 0]
    parts = error_parts(replicas, sample)
    expected = [values.std(ddof=1) / len(values) ** 0.5 for values in (jets, of_draw, of_seed)]
    assert np.allclose([parts.jets, parts.draws, parts.seeds], expected, rtol=0.15)
    assert np.isclose(np.sum(np.square(expected)), spread(replicas[0]) ** 2, rtol=0.25)


def test_what_was_drawn_once_has_no_part():
    sample = Sample(np.arange(30), 1, 3)
    different = [[lambda w, k=k: w[:1] + 0.1 * k for k in range(3)]]
    for statistics, sources in ((different, {"jets", "draws"}), ([different[0][:1] * 3], {"jets"})):
        parts = error_parts(bootstrap(statistics, sample, 4)[..., 0], sample)
        assert parts.model_dump(exclude_none=True).keys() == sources


def test_same_seed_same_replicas():
    sample = Sample(np.arange(30), 2, 3)
    one, two = (bootstrap([[lambda w: w[:2] * 1.0] * 3] * 2, sample, 4, 100) for _ in range(2))
    assert (one == two).all()
