"""Live views against the detector itself, jet by jet, and their independence of batches and processes."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from jetssl.common.seeds import Stream
from jetssl.config.data import ViewsCard
from jetssl.data.jet_table import OPTIONAL_COLUMNS
from jetssl.data.live import Observer, exposure, radius_of_generated
from jetssl.data.table import load_pairs
from jetssl.data.views import choices
from resim.common.errors import InputError
from resim.detector.detector import Detector
from resim.pairfile.mock import write_mock
from tests.helpers.chain import REPOSITORY

CARD = REPOSITORY / "cards/delphes/cms_tracking.tcl"
ADDRESS = (1, Stream.TRAINING_BATCH, 4)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_mock(tmp_path_factory.mktemp("live") / "generated.h5", 120, ("generated", "seed"))


@pytest.fixture(scope="module")
def table(file):
    return load_pairs([file])


@pytest.fixture(scope="module")
def observer():
    return Observer(CARD, 0.8)


def shown(table, rows, address=ADDRESS):
    """Both jets of some rows are that of the first view."""
    return exposure(table, np.zeros(2 * len(rows), np.int64), np.tile(rows, 2), rows, address)


def rows_in(table, count):
    return np.flatnonzero(table.rows.valid[0])[:count]


def columns_of(jets):
    return [jets.pt, jets.d_eta, jets.d_phi, jets.counts, jets.jet_pt, jets.axis, *jets.other.values()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(columns_of(first), columns_of(second), strict=True))


def test_the_exposed_particles_are_those_of_the_file(table):
    rows = rows_in(table, 5)
    particles = shown(table, rows).particles
    start, count = table.starts[0, rows[0]], table.counts[0, rows[0]]
    flat = table.constituents
    assert np.diff(particles.offsets).tolist() == np.tile(table.counts[0, rows], 2).tolist()
    np.testing.assert_allclose(particles.pt[:count], flat.pt[start : start + count], rtol=1e-6)
    np.testing.assert_allclose(particles.eta[:count], flat.eta[start : start + count], rtol=1e-6)
    np.testing.assert_allclose(particles.phi[:count], flat.phi[start : start + count], rtol=1e-6)


def test_a_vertex_has_the_stored_impact_parameters(table):
    rows = rows_in(table, 3)
    rng = np.random.default_rng(2)
    other = dict(table.constituents.other)
    other |= {name: rng.normal(0, 0.3, len(other["d0"])) * (other["charge"] != 0) for name in ("d0", "dz")}
    displaced = replace(table, constituents=replace(table.constituents, other=other))
    from resim.particles import impact_parameters

    where = np.concatenate(
        [np.arange(s, s + c) for s, c in zip(table.starts[0, rows], table.counts[0, rows], strict=True)]
    )
    particles = exposure(displaced, np.zeros(3, np.int64), rows, rows, ADDRESS).particles
    d0, dz = impact_parameters(particles)
    np.testing.assert_allclose(d0, other["d0"][where], atol=1e-9)
    np.testing.assert_allclose(dz, other["dz"][where], atol=1e-9)


def test_a_jet_is_what_the_detector_gives_within_the_radius(table, observer):
    rows = rows_in(table, 6)
    jets, offered = observer(shown(table, rows)), shown(table, rows)
    candidates = Detector.from_card(CARD).run(offered.particles, offered.seeds(0))
    assert list(jets.other) == list(OPTIONAL_COLUMNS)
    for i in range(12):
        event = candidates.events(i, i + 1)
        for _ in range(2):  # within the radius of the sum of all, then the sum of these
            px, py, pz, energy = (getattr(event, name).sum() for name in ("px", "py", "pz", "energy"))
            rapidity, phi = np.arctanh(pz / energy), np.arctan2(py, px)
            if _ == 0:
                d_phi = (event.phi - phi + np.pi) % (2 * np.pi) - np.pi
                near = np.hypot(np.arctanh(event.pz / event.energy) - rapidity, d_phi) < 0.8
                event = event.select(near)
        own = jets.take(np.array([i]))
        order = np.argsort(-event.pt)
        assert own.counts[0] == len(order)
        np.testing.assert_allclose(own.pt, event.pt[order], rtol=1e-6)
        np.testing.assert_allclose(own.other["d0_err"], event.d0_err[order], rtol=1e-6)
        np.testing.assert_allclose(own.jet_pt[0], np.hypot(px, py), rtol=1e-6)
        np.testing.assert_allclose(own.axis[0], rapidity, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(own.d_eta, event.eta[order] - rapidity, atol=1e-5)


def test_a_jet_depends_on_seed_epoch_row_and_place_alone(table, observer):
    rows = rows_in(table, 8)
    jets = observer(shown(table, rows))
    assert not same(jets.take(np.arange(8)), jets.take(np.arange(8, 16)))  # the two jets of a row
    some = observer(shown(table, rows[[5, 2]]))
    assert same(some, jets.take(np.array([5, 2, 13, 10])))
    for address in ((2, *ADDRESS[1:]), (1, Stream.VALIDATION_BATCH, 4), (*ADDRESS[:2], 5)):
        assert not same(observer(shown(table, rows, address)), jets)


def test_what_is_not_seen_is_shown_again(table, observer, monkeypatch):
    rows = rows_in(table, 4)
    offered = shown(table, rows)
    run = Detector.run

    def blind_at_first(detector, particles, seeds):
        """Sees every other jet if there are many."""
        found = run(detector, particles, seeds)
        if particles.n_events == 1:
            return found
        seen = np.repeat(np.arange(found.n_events) % 2 == 0, np.diff(found.offsets))
        return found.select(seen)

    monkeypatch.setattr(Detector, "run", blind_at_first)
    jets = observer(offered)
    assert len(jets.counts) == 8
    assert (jets.counts > 0).all()
    monkeypatch.setattr(
        Detector,
        "run",
        lambda detector, particles, seeds: run(detector, particles, seeds).select(
            np.zeros(run(detector, particles, seeds).offsets[-1], bool)
        ),
    )
    with pytest.raises(InputError, match=r"row \d+: views.live.detector sees nothing of its jet; raise jets.pt_min"):
        observer(offered)


def test_pairs_of_one_view_and_of_two():
    card = ViewsCard(
        source="live", live={"detector": CARD}, pairs=[("generated", "generated"), ("generated", "seed")]
    )
    assert choices(("generated", "seed"), card, 2).pairs.tolist() == [[0, 0], [0, 1], [1, 0]]


def test_only_generated_particles_are_shown(file, table, tmp_path):
    assert radius_of_generated(table.rows) == 0.8
    measured = tmp_path / "measured.h5"
    measured.write_bytes(file.read_bytes())
    with h5py.File(measured, "a") as opened:
        opened["views/seed"].attrs["settings"] = '{"detector": {"card": "cms.tcl"}}'
    rows = replace(table.rows, files=(replace(table.rows.files[0], path=str(measured)),))
    with pytest.raises(
        InputError, match=r"measured.h5: .* view 'seed' has been through one; name views with `detect"
    ):
        radius_of_generated(rows)
    assert radius_of_generated(replace(rows, views=("generated",))) == 0.8


def test_a_detector_with_pileup_is_refused():
    with pytest.raises(InputError, match="pile-up"):
        Observer(REPOSITORY / "cards/delphes/cms_pileup.tcl", 0.8)
