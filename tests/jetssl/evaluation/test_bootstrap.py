import numpy as np
import pytest

from jetssl.evaluation import bootstrap as bootstrap_module
from jetssl.evaluation.bootstrap import Sample, bootstrap, spread


def test_hard_scatters_stay_together_and_fits_sum_to_one():
    groups = np.array([7, 7, 3, 9, 9, 9])
    for replica in list(Sample(groups, 3, 4).replicas(1))[:20]:
        assert replica.jets[0] == replica.jets[1]
        assert len(set(replica.jets[3:])) == 1
        assert replica.jets[[0, 2, 3]].sum() == 3
        assert replica.fits.shape == (3, 4)
        assert np.isclose(replica.fits.sum(), 1)


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
        inside += abs(jets.mean() + means.mean()) < spread(found[:, 0])
    assert 0.60 <= inside / 200 <= 0.76


def test_same_seed_same_replicas():
    sample = Sample(np.arange(30), 2, 3)
    one, two = (bootstrap([[lambda w: w[:2] * 1.0] * 3] * 2, sample, 4, 100) for _ in range(2))
    assert (one == two).all()
