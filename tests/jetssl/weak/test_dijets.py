"""Events of two jets against a slow loop, and what is left out."""

from types import SimpleNamespace

import numpy as np
import pytest

from jetssl.weak.dijets import dijets

CLASSES = ("other", "qcd", "w", "z")


def table_of(jets, valid=None):
    """Jets (source, event, class, pT, eta, phi, mass), one row each, in one view."""
    source, event, name, pt, eta, phi, mass = zip(*jets, strict=True)
    columns = {"pt": pt, "eta": eta, "phi": phi, "mass": mass}
    rows = SimpleNamespace(
        source=np.array(source),
        event=np.array(event),
        classes=CLASSES,
        class_index=np.array([CLASSES.index(one) for one in name], np.int16),
        valid=np.array([valid or [True] * len(jets)]),
    )
    return SimpleNamespace(
        rows=rows, jets=SimpleNamespace(**{key: np.array([value], np.float32) for key, value in columns.items()})
    )


def mass_of(*jets):
    """Invariant mass, term by term."""
    energy = px = py = pz = 0.0
    for _, _, _, pt, eta, phi, mass in jets:
        px, py, pz = px + pt * np.cos(phi), py + pt * np.sin(phi), pz + pt * np.sinh(eta)
        energy += np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2)
    return np.sqrt(energy**2 - px**2 - py**2 - pz**2)


JETS = [
    (0, 0, "qcd", 500, 0.1, 0.0, 40),
    (0, 0, "qcd", 480, -0.3, 3.1, 90),
    (0, 0, "qcd", 490, 0.2, 2.9, 20),
    (0, 1, "w", 600, 0.5, 1.0, 80),
    (0, 1, "z", 610, -0.5, -2.1, 91),
    (0, 2, "qcd", 400, 1.0, 0.0, 30),  # too far apart
    (0, 2, "qcd", 400, -1.0, 3.1, 30),
    (0, 3, "qcd", 400, 1.0, 0.0, 30),  # alone
    (1, 3, "qcd", 400, 1.0, 0.0, 30),  # another source
    (1, 4, "qcd", 400, 0.0, 0.0, 30),  # of two kinds
    (1, 4, "w", 400, 0.1, 3.0, 30),
    (1, 5, "other", 400, 0.0, 0.0, 30),
    (1, 5, "other", 400, 0.1, 3.0, 30),
    (1, 6, "qcd", 400, 0.3, 0.5, 30),  # one jet, matched twice
    (1, 6, "qcd", 400, 0.3, 0.5, 30),
]
MERGED = [  # phi -> WW in one jet, beside a third W
    (0, 0, "w", 600, 0.5, 1.0, 400),
    (0, 0, "w", 550, -0.3, -2.1, 80),
    (0, 0, "w", 600, 0.5, 1.0, 400),
    (0, 1, "qcd", 400, 0.2, 0.0, 30),
    (0, 1, "w", 410, 0.1, 3.0, 80),  # of two kinds
    (0, 1, "qcd", 410, 0.1, 3.0, 80),
    (0, 2, "qcd", 400, 0.2, 0.0, 30),  # three of the same pT, two jets
    (0, 2, "qcd", 400, -0.2, 3.0, 30),
    (0, 2, "qcd", 400, 0.2, 0.0, 30),
]


def test_the_two_hardest_jets_of_an_event_and_their_mass():
    found = dijets(table_of(JETS), 0, ["w", "z"], ["qcd"], 1.3)
    assert found.rows.tolist() == [[0, 2], [4, 3]]
    assert found.is_signal.tolist() == [False, True]
    assert found.mass == pytest.approx([mass_of(JETS[0], JETS[2]), mass_of(JETS[3], JETS[4])], rel=1e-5)


def test_rows_without_a_jet_are_no_jets():
    found = dijets(table_of(JETS, [False, *[True] * 14]), 0, ["w", "z"], ["qcd"], 1.3)
    assert found.rows.tolist() == [[2, 1], [4, 3]]


@pytest.mark.parametrize("order", [range(9), range(8, -1, -1), [1, 5, 0, 8, 4, 2, 3, 7, 6]])
def test_a_jet_of_two_partons_counts_once(order):
    found = dijets(table_of([MERGED[i] for i in order]), 0, ["w", "z"], ["qcd"], 1.3)
    assert found.is_signal.tolist() == [True, False]
    assert found.mass == pytest.approx([mass_of(MERGED[0], MERGED[1]), mass_of(MERGED[6], MERGED[7])], rel=1e-5)


def test_no_row_has_a_jet():
    assert dijets(table_of(JETS, [False] * 15), 0, ["w", "z"], ["qcd"], 1.3).rows.shape == (0, 2)


def test_order_of_rows_changes_nothing():
    order = np.random.default_rng(1).permutation(len(JETS))
    found = dijets(table_of([JETS[i] for i in order]), 0, ["w", "z"], ["qcd"], 1.3)
    assert order[found.rows].tolist() == [[0, 2], [4, 3]]
