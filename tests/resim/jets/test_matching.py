import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from resim.jets.matching import Match, delta_r, match_nearest

DISTANCES = arrays(float, st.tuples(st.integers(0, 4), st.integers(0, 5)), elements=st.floats(0, 2), unique=True)


def match(distance: np.ndarray, largest: float) -> Match:
    """Every parton with every jet of a matrix of distances, `(n_partons, n_jets)`."""
    parton, jet = np.indices(distance.shape).reshape(2, -1)
    return match_nearest(parton, jet, distance.ravel(), len(distance), largest)


def test_the_nearest_pair_wins_and_the_loser_takes_the_next_jet():
    found = match(np.array([[0.3, 0.1], [0.2, 0.05]]), 0.8)
    assert found.jet.tolist() == [0, 1]
    assert found.taken.tolist() == [False, False]


def test_a_parton_whose_only_jet_is_taken_says_so():
    found = match(np.array([[0.1], [0.2], [0.9]]), 0.8)
    assert found.jet.tolist() == [0, -1, -1]
    assert found.taken.tolist() == [False, True, False]


@given(DISTANCES)
def test_matches_are_unique_near_and_greedy(distance):
    found = match(distance, 0.8)
    used = [j for j in found.jet.tolist() if j >= 0]
    assert len(used) == len(set(used))
    for i, j in enumerate(found.jet):
        if j >= 0:
            assert distance[i, j] < 0.8
        for other in range(distance.shape[1]):  # whoever lost a nearer jet lost it to a nearer parton
            if distance[i, other] < (distance[i, j] if j >= 0 else 0.8):
                assert distance[np.flatnonzero(found.jet == other)[0], other] <= distance[i, other]


@given(DISTANCES, st.randoms())
def test_the_order_of_jets_does_not_matter(distance, random):
    order = list(range(distance.shape[1]))
    random.shuffle(order)
    shuffled = match(distance[:, order], 0.8).jet
    assert [order[j] if j >= 0 else -1 for j in shuffled] == match(distance, 0.8).jet.tolist()


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_the_azimuth_is_periodic(a, b):
    zero = np.array(0.0)
    there = delta_r(zero, np.array(a), zero, np.array(b))
    around = delta_r(zero, np.array(a + 2 * np.pi), zero, np.array(b))
    assert abs(there - around) < 1e-9
    assert there <= np.pi + 1e-12


def test_a_jet_may_be_asked_to_hold_all_decay_products():
    """A resonance between two jets is near both; its products are in neither of them, or in one."""
    from resim.card.jet_settings import JetSettings as Settings
    from resim.hard_scatter.partons import Parton
    from resim.jets.clustering import ClusteredJets
    from resim.jets.matching import match_partons

    def momentum(eta, phi, pt=200.0):
        return pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)

    jet = [np.array([x]) for x in momentum(0.0, 0.3)]
    jets = ClusteredJets(np.array([0, 1]), *jet, constituent_offsets=np.array([0, 0]), constituents=np.empty(0, int))
    px, py, pz, energy = momentum(0.0, 0.0)
    boosted, resolved = [(momentum(0.0, 0.1), momentum(0.0, 0.5)), (momentum(0.0, -0.9), momentum(0.0, 0.5))]
    for products, found in ((boosted, 0), (resolved, -1), ((), 0)):
        parton = Parton(24, "w", px, py, pz, energy, 80.4, products)
        one = np.zeros(1, int)
        assert match_partons(jets, [parton], one, Settings(match="parton")).jet.tolist() == [0]
        assert match_partons(jets, [parton], one, Settings(match="decay_products")).jet.tolist() == [found]
