import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jetssl.weak.label_noise import checked, class_dependent, corrupt, symmetric
from resim.common.errors import InputError


@given(st.floats(0, 0.49), st.integers(2, 5))
def test_rows_are_probabilities(rate, n_classes):
    matrix = symmetric(rate, n_classes)
    np.testing.assert_allclose(matrix.sum(1), 1)
    np.testing.assert_allclose(np.diag(matrix), 1 - rate)


@pytest.mark.parametrize("rates", [(0.1, 0.4), (0.0, 0.3)])
def test_labels_are_wrong_at_the_known_rate(rng, rates):
    labels = np.arange(40_000) % 2
    noisy = corrupt(labels, class_dependent(rates), rng)
    for wrong, rate in ((noisy[labels == k] != k, rate) for k, rate in enumerate(rates)):
        assert wrong.mean() == pytest.approx(rate, abs=4 * np.sqrt(rate * (1 - rate) / 20_000))


def test_three_classes_against_a_slow_loop():
    matrix = np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.0, 0.3, 0.7]])
    labels = np.arange(300) % 3
    numbers = np.random.default_rng(3).random(300)
    expected = []
    for label, number in zip(labels, numbers, strict=True):
        new, passed = 0, matrix[label, 0]
        while number >= passed:
            new += 1
            passed += matrix[label, new]
        expected.append(new)
    assert corrupt(labels, matrix, np.random.default_rng(3)).tolist() == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: symmetric(0.5), "label noise of class 0: 0.5 of its labels are wrong"),
        (lambda: symmetric(0.7), "want less .below 0.5 for two classes"),
        (lambda: symmetric(-0.1), "row 0: .* is no probability .sum 1.; want numbers of at least 0"),
        (lambda: class_dependent([0.1, 0.6]), "label noise of class 1: 0.6 of"),
        (lambda: checked([[0.9, 0.2], [0.1, 0.9]]), r"row 0: \[0.9, 0.2\] is no probability \(sum 1.1\)"),
        (lambda: checked([[1.0, 0.0]]), r"shape \(1, 2\): want one row and one column"),
        (lambda: checked([[float("nan"), 1.0], [0.1, 0.9]]), "row 0: .* is no probability"),
    ],
)
def test_bad_matrices_are_one_line(make, message):
    with pytest.raises(InputError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
