from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.common.seeds import SeedKey, pythia_seed, seed64
from resim.common.units import PYTHIA_SEED_MAX

KEY = SeedKey(1, "ab" * 32, 5, "nominal", "shower")


@pytest.mark.slow
@given(st.integers(0, 2**63 - 1), st.integers(0, 2**40), st.text(max_size=10), st.integers(0, 10))
def test_seeds_are_in_pythias_range_and_never_the_clock(run_seed, event, view, attempt):
    assert 1 <= pythia_seed(SeedKey(run_seed, "00" * 32, event, view, "shower", attempt)) <= PYTHIA_SEED_MAX


@pytest.mark.parametrize(
    "change",
    [
        {"run_seed": 2},
        {"sha256": "cd" * 32},
        {"event": 6},
        {"view": "seed"},
        {"stage": "hadronization"},
        {"attempt": 1},
    ],
)
def test_every_part_of_the_key_matters(change):
    assert seed64(replace(KEY, **change)) != seed64(KEY)


def test_view_and_stage_do_not_run_into_each_other():
    assert seed64(replace(KEY, view="a\0shower", stage="shower")) != seed64(replace(KEY, view="a", stage="shower"))


def test_seeds_are_uniform():
    seeds = np.array([pythia_seed(replace(KEY, event=event)) for event in range(20_000)])
    counts = np.histogram(seeds, bins=20, range=(1, PYTHIA_SEED_MAX))[0]
    chi2 = ((counts - 1000) ** 2 / 1000).sum()
    assert chi2 < 43.8  # p = 0.001 at 19 degrees of freedom
