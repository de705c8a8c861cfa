"""Anomalies of events change the objects that they say they change, and no others."""

from dataclasses import fields, replace

import numpy as np
import pytest

from jetssl.config.objectives import AnomaliesCard
from jetssl.data.anomalies import anomalize
from jetssl.data.event_anomalies import (
    ANGLE,
    ANGLE_PT,
    KINDS,
    MISSING,
    add_objects,
    require_events,
    scale_pt,
    split_objects,
)
from resim.common.errors import InputError
from tests.helpers.adc import as_jets, toy_events, whole
from tests.helpers.toys import make_jets, split_by_jet

CHANGES = {
    "add": add_objects,
    "split": split_objects,
    "scale": lambda events, rng: scale_pt(events, rng, 5.0),
    "any": lambda events, rng: anomalize(
        events, AnomaliesCard(drop=0, shift=0, exponent=1, add_objects=True, split_objects=True, scale_pt=5), rng
    ),
}


@pytest.fixture(scope="module")
def events():
    return as_jets(toy_events(np.random.default_rng(5), 400))


def by_event(events):
    """(pT, eta, phi, PDG number) of each event, `(n, 4)`."""
    return split_by_jet(events, np.stack([events.pt, events.d_eta, events.d_phi, events.other["pdg_id"]], axis=1))


def momentum(objects):
    """Vector sum in the transverse plane, missing energy included: 0 for an event in balance."""
    return np.array([(objects[:, 0] * project(objects[:, 2])).sum() for project in (np.cos, np.sin)])


def of_kind(objects, pdg_id):
    return objects[objects[:, 3] == pdg_id]


@pytest.mark.parametrize("name", CHANGES)
def test_what_every_anomaly_keeps(name, events):
    """Order, limits of the detector, kinds with their charge; the input, and pT and energy of the whole."""
    before = {f.name: np.copy(getattr(events, f.name)) for f in fields(events) if f.name != "other"}
    made = CHANGES[name](events, np.random.default_rng(2))
    assert all(np.array_equal(getattr(events, key), value) for key, value in before.items())
    assert all((np.diff(pt) <= 0).all() for pt in split_by_jet(made, made.pt))
    assert made.counts.sum() == len(made.pt) == len(made.other["charge"]) == len(made.mass)
    assert (np.abs(made.d_phi) <= np.pi).all()
    for objects in by_event(made):
        assert len(of_kind(objects, MISSING)) == 1
        for kind in KINDS:
            found = of_kind(objects, kind.pdg_id)
            assert len(found) <= kind.most
            assert (found[:, 0] >= kind.pt_min * (1 - 1e-6)).all()
            assert (np.abs(found[:, 1]) <= kind.abs_eta_max + 6 * ANGLE).all()
    leptons = np.isin(made.other["pdg_id"], [11, 13])
    assert np.array_equal(made.other["charge"], np.where(leptons, -1, 0))
    wanted = np.array([whole(objects.astype(np.float64)) for objects in by_event(made)]).T
    assert (made.jet_pt, made.jet_energy) == (pytest.approx(wanted[0], rel=1e-5), pytest.approx(wanted[1], rel=1e-4))
    assert made.pt.dtype == made.d_eta.dtype == made.d_phi.dtype == made.mass.dtype == np.float32


def test_added_objects_are_as_many_of_each_kind_and_balanced_by_missing_energy(events):
    hard = replace(events, pt=events.pt + np.float32(ANGLE_PT))  # no direction of these is smeared
    made, extra = add_objects(hard, np.random.default_rng(3)), {kind.pdg_id: [] for kind in KINDS}
    for before, after in zip(by_event(hard), by_event(made), strict=True):
        old = before[before[:, 3] != MISSING]
        kept = [(np.abs(after - one).max(axis=1) == 0).any() for one in old]
        assert all(kept)
        if (after[:, 0] > ANGLE_PT).all():
            assert momentum(after) == pytest.approx(momentum(before), abs=1e-2)
        assert after[after[:, 3] != MISSING, 0].max() <= before[:, 0].max() * (1 + 1e-6)
        for kind in KINDS:
            n = len(of_kind(before, kind.pdg_id))
            extra[kind.pdg_id].append((len(of_kind(after, kind.pdg_id)) - n) / max(kind.most - n, 1))
    for share in extra.values():  # uniform from 0 to 1 has a mean of 1/2, a spread of 0.29 or a little more
        assert min(share) == 0
        assert max(share) == 1
        assert np.mean(share) == pytest.approx(0.5, abs=5 * 0.45 / np.sqrt(len(share)))


def test_missing_energy_appears_where_there_was_none():
    objects = toy_events(np.random.default_rng(1), 30)
    objects[:, 0] = 0
    made = add_objects(as_jets(objects), np.random.default_rng(1))
    for before, after in zip(by_event(as_jets(objects)), by_event(made), strict=True):
        new = len(after) - len(before)
        assert len(of_kind(after, MISSING)) == (new > 0)


def test_split_objects_have_the_same_sums(events):
    hard = replace(events, pt=events.pt * np.float32(10))  # smeared directions would move the sums a little
    made, new = split_objects(hard, np.random.default_rng(4)), []
    for before, after in zip(by_event(hard), by_event(made), strict=True):
        assert np.array_equal(of_kind(after, MISSING), of_kind(before, MISSING))
        if (after[:, 0] > ANGLE_PT).all():
            assert momentum(after) == pytest.approx(momentum(before), abs=0.05)
        for kind in KINDS:
            was, now = of_kind(before, kind.pdg_id), of_kind(after, kind.pdg_id)
            assert now[:, 0].sum() == pytest.approx(was[:, 0].sum(), rel=1e-5)
            new.append((len(now) - len(was)) / max(min(len(was), kind.most - len(was)), 1))
    assert min(new) == 0
    assert max(new) == 1


def test_what_cannot_be_split_stays():
    """Below twice the threshold there are no two parts above it."""
    soft = np.zeros((1, 19, 4))
    soft[0, [0, 1, 5, 9]] = [[50, 0, 0.5, 1], [5.9, 1, 1, 2], [5.9, -1, 2, 3], [29, 0.2, 3, 4]]
    made = split_objects(as_jets(soft), np.random.default_rng(0))
    assert np.array_equal(made.pt, as_jets(soft).pt)


def test_factors_of_missing_energy_and_of_the_rest(events):
    made = scale_pt(events, np.random.default_rng(6), 5.0)
    factors = []
    for before, after in zip(by_event(events), by_event(made), strict=True):
        ratio = [
            (np.sort(after[what(after), 0]) / np.sort(before[what(before), 0]))
            for what in (lambda objects: objects[:, 3] == MISSING, lambda objects: objects[:, 3] != MISSING)
        ]
        assert ratio[1] == pytest.approx(ratio[1][0], rel=1e-5)
        assert np.array_equal(np.sort(after[:, 1]), np.sort(before[:, 1]))
        factors.append((ratio[0][0], ratio[1][0]))
    missing, others = np.array(factors).T
    alone, rest, both = others == 1, missing == 1, np.isclose(missing, others, rtol=1e-5)
    assert (alone.astype(int) + rest + both == 1).all()
    for part in (alone, rest, both):
        assert part.mean() == pytest.approx(1 / 3, abs=5 * np.sqrt(2 / 9 / len(part)))
    assert 0.5 <= missing[alone].min() < 1
    assert missing[~alone].min() >= 1
    assert max(missing.max(), others.max()) <= 5


def test_only_what_is_on_and_the_same_again(events):
    only = AnomaliesCard(drop=0, shift=0, exponent=1, scale_pt=3)
    made = anomalize(events, only, np.random.default_rng(9))
    again = anomalize(events, only, np.random.default_rng(9))
    assert np.array_equal(made.pt, again.pt)
    assert np.array_equal(made.counts, events.counts)


def test_jets_are_refused(rng):
    with pytest.raises(InputError, match="are for events, the data has jets; leave them out"):
        require_events(make_jets(rng, [5, 6]))
