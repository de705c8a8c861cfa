from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import ks_2samp

from jetssl.config.data import BalanceCard
from jetssl.data.balance import balance
from resim.common.errors import InputError
from tests.helpers.toys import make_rows

ROWS = make_rows((8_000, 4_000), (2_000,))
"""Classes whose pT spectra get harder from one to the next."""
EVERYTHING = np.arange(ROWS.n_rows)


def drawn(rng, **card):
    return balance(ROWS, EVERYTHING, BalanceCard(**card)).draw(rng)


def test_nothing_asked_nothing_left_out(rng):
    assert drawn(rng) is EVERYTHING


def test_shares_of_classes(rng):
    used = drawn(rng, classes={"class0": 1, "class1": 2, "class2": 1})
    assert np.bincount(ROWS.class_index[used]).tolist() == [2_000, 4_000, 2_000]
    assert (np.diff(used) > 0).all()


def test_common_spectrum(rng):
    used = drawn(rng, pt_bins=40)
    spectra = [ROWS.parton_pt[used[ROWS.class_index[used] == k]] for k in range(3)]
    before = [ROWS.parton_pt[ROWS.class_index == k] for k in range(3)]
    assert ks_2samp(before[0], before[2]).pvalue < 1e-20
    assert ks_2samp(spectra[0], spectra[2]).statistic < 0.03
    assert ks_2samp(spectra[0], spectra[1]).statistic < 0.03
    counts = [len(spectrum) for spectrum in spectra]
    assert np.array(counts) / sum(counts) == pytest.approx([8 / 14, 4 / 14, 2 / 14], abs=0.01)


def test_spectrum_and_shares_together(rng):
    used = drawn(rng, pt_bins=10, classes={"class0": 1, "class1": 1, "class2": 1})
    counts = np.bincount(ROWS.class_index[used])
    assert (counts == counts[0]).all()


def test_no_more_is_left_out_than_must_be():
    """In every bin all rows of some class are used."""
    chosen = balance(ROWS, EVERYTHING, BalanceCard(pt_bins=8))
    have = np.bincount(chosen.cell, minlength=24).reshape(3, 8)
    used = chosen.used.reshape(3, 8)
    assert (used <= have).all()
    assert (have - used).min(0).max() <= 1


def test_every_row_has_its_turn(rng):
    chosen = balance(ROWS, EVERYTHING, BalanceCard(classes={"class0": 1, "class1": 1, "class2": 1}))
    times = sum(np.isin(EVERYTHING, chosen.draw(rng)) * 1 for _ in range(40))
    assert times.min() > 0
    assert times[ROWS.class_index == 2].min() == 40
    assert times[ROWS.class_index == 0].mean() == pytest.approx(10, abs=0.1)


def test_only_the_rows_given(rng):
    some = EVERYTHING[::3]
    used = balance(ROWS, some, BalanceCard(pt_bins=4)).draw(rng)
    assert np.isin(used, some).all()
    assert len(used) == len(np.unique(used))


def test_bad_classes():
    with pytest.raises(InputError, match=r"names class0, top, the data have class0, class1, class2; give the share"):
        balance(ROWS, EVERYTHING, BalanceCard(classes={"class0": 1, "top": 1}))


def test_no_common_bin():
    rows = make_rows((100, 100))
    rows.parton_pt[:100], rows.parton_pt[100:] = 300, 900
    with pytest.raises(InputError, match=r"no bin in pT holds every class \(class0, class1\); lower"):
        balance(rows, np.arange(200), BalanceCard(pt_bins=4))


def test_sums_of_weights_have_the_shares(rng):
    """Rows of class 0 count twice as much as the others, whatever their sign."""
    rows = replace(ROWS, weight=np.where(ROWS.class_index == 0, -2.0, 1.0))
    used = balance(rows, EVERYTHING, BalanceCard(classes={"class0": 1, "class1": 2, "class2": 1})).draw(rng)
    assert np.bincount(ROWS.class_index[used]).tolist() == [1_000, 4_000, 2_000]
