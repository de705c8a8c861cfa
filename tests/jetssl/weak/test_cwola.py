"""A search on toys: nothing is found where nothing is, and what is there is found."""

import numpy as np
import pytest
from scipy.stats import kstest

from jetssl.weak.cwola import Events, mixture_weights, passing, search
from jetssl.weak.spectrum import MassWindow
from resim.common.errors import InputError
from tests.helpers.spectra import WINDOW, falling

EFFICIENCY = 0.05


def toy(rng, n_background, n_signal, trend=0.0):
    """Six normal numbers of each jet; the first is larger in signal, the second rises with the mass by `trend`."""
    mass = np.append(falling(rng, n_background), rng.normal(1300, 30, n_signal))
    jets = rng.normal(size=(len(mass), 2, 6))
    jets[n_background:, :, 0] += 2.5
    jets[..., 1] += trend * np.log(mass / 1300)[:, None]
    return Events(mass, jets)


def found_in_toys(count, n_signal, trend=0.0):
    rngs = [np.random.default_rng(seed) for seed in range(count)]
    return [search(toy(rng, 3000, n_signal, trend), WINDOW, EFFICIENCY, rng) for rng in rngs]


@pytest.mark.slow
@pytest.mark.parametrize("trend", [0.0, 1.0])
def test_without_a_signal_p_values_are_uniform(trend):
    """Also where the inputs know a little of the mass: the cut then keeps more on one side, and the fit knows."""
    found = found_in_toys(60, 0, trend)
    for p_values in ([one.before.p_value for one in found], [one.after.p_value for one in found]):
        assert kstest(p_values, "uniform").pvalue > 1e-3
    significances = [one.after.significance for one in found]
    assert np.mean(significances) == pytest.approx(0, abs=4 / np.sqrt(60))
    assert np.std(significances) == pytest.approx(1, abs=0.35)
    if trend:
        assert np.std([one.sculpting for one in found]) > 1.3


def test_a_signal_gets_more_significant_by_as_much_as_its_likeness_says():
    """50 of 1,000 events, a perfect cut of 5 % would leave 50 of 100."""
    found = found_in_toys(4, 60)
    before, after = (np.mean([getattr(one, when).significance for one in found]) for when in ("before", "after"))
    assert before < 3
    assert after > before + 2
    assert after < 60 / np.sqrt(50)


def test_no_event_is_judged_by_what_learned_from_it(rng):
    """What an event is like changes nothing about the others of its fold, but about those of other folds."""
    events, fold = toy(rng, 600, 0), np.arange(600) % 5
    changed = Events(events.mass, events.jets.copy())
    place = int(np.flatnonzero(WINDOW.inside(events.mass) & (fold == 2))[0])
    changed.jets[place, :, 3] = 300
    before, after = (passing(one, WINDOW, 0.2, fold) for one in (events, changed))
    others = np.delete(np.arange(600), place)
    assert np.array_equal(before[others][fold[others] == 2], after[others][fold[others] == 2])
    assert not np.array_equal(before[fold != 2], after[fold != 2])


def test_the_cut_keeps_its_share_of_the_sidebands_in_every_fold(rng):
    events, fold = toy(rng, 2000, 100), rng.integers(5, size=2100)
    kept = passing(events, WINDOW, 0.1, fold)
    beside = ~WINDOW.inside(events.mass)
    for number in range(5):
        assert kept[beside & (fold == number)].mean() == pytest.approx(0.1, abs=0.005)


def test_mixtures_and_sidebands_count_alike():
    mass = np.concatenate([np.full(70, 1100.0), np.full(20, 1300.0), np.full(10, 1500.0)])
    weights = mixture_weights(mass, WINDOW)
    assert [weights[mass == value].sum() for value in (1100, 1300, 1500)] == pytest.approx([25, 50, 25])


def test_a_sideband_without_events_is_one_line(rng):
    events = toy(rng, 300, 0)
    with pytest.raises(InputError, match="too few for a fit"):
        search(events, MassWindow((1700.0, 1790.0), (1690.0, 1800.0)), 0.05, rng)


@pytest.mark.parametrize("inside", [0, 1])
def test_a_region_without_events_to_learn_from_is_one_line(rng, inside):
    """A single event teaches nothing in the fold that it is judged in."""
    events = toy(rng, 300, 0)
    region = WINDOW.inside(events.mass)
    events = events.take(np.concatenate([np.flatnonzero(~region), np.flatnonzero(region)[:inside]]))
    with pytest.raises(InputError, match=rf"\[1200.0, 1400.0\] GeV: {inside} events inside and {(~region).sum()} in"):
        search(events, WINDOW, 0.05, rng)


def test_a_fold_without_a_sideband_is_one_line(rng):
    """Six events of the sidebands are enough for the fit, but some fold of these has none."""
    mass = np.concatenate([np.linspace(1010, 1190, 3), np.linspace(1410, 1790, 3), np.full(60, 1300.0)])
    events = Events(mass, rng.normal(size=(66, 2, 3)))
    with pytest.raises(InputError, match="60 events inside and 6 in the sidebands are too few for 5 folds"):
        search(events, WINDOW, 0.05, rng)
