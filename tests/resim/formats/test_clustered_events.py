"""Events of others become their leading jets."""

from itertools import pairwise

import fastjet
import numpy as np
import pandas as pd
import pytest

from jetssl.config.data import Fractions
from jetssl.data.rows import rows_of
from jetssl.data.splits import split_rows
from jetssl.data.table import load_pairs
from jetssl.weak.dijets import dijets
from resim.common.errors import InputError
from resim.formats.clustered_events import clustered_events
from resim.formats.import_jets import import_jets
from resim.formats.mapping_card import ClusterCard, mapping_card
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations

CARD = ClusterCard(radius=1.0, pt_min=20, abs_eta_max=2.5, leading=2)
N_HADRONS = 700


@pytest.fixture(scope="module")
def events():
    """Lists of (pT, eta, phi): two collimated sprays back to back, and soft hadrons between; one event without any."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(12):
        phi = rng.uniform(-np.pi, np.pi)
        sprays = [
            np.stack([rng.exponential(40, 20) + 1, rng.normal(eta, 0.15, 20), rng.normal(axis, 0.15, 20)], axis=1)
            for eta, axis in ((rng.uniform(-1, 1), phi), (rng.uniform(-1, 1), phi + np.pi))
        ]
        soft = np.stack(
            [rng.exponential(1, 30) + 0.2, rng.uniform(-4, 4, 30), rng.uniform(-np.pi, np.pi, 30)], axis=1
        )
        found.append(np.concatenate([*sprays, soft]))
    return [*found, np.zeros((0, 3))]


def columns_of(events):
    pt, eta, phi = np.concatenate(events).T
    return {"pt": pt, "eta": eta, "phi": phi, "energy": pt * np.cosh(eta)}


def by_fastjet(event):
    """FastJet's own classes, one particle at a time."""
    particles = [
        fastjet.PseudoJet(pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta))
        for pt, eta, phi in event
    ]
    found = fastjet.ClusterSequence(particles, fastjet.JetDefinition(fastjet.antikt_algorithm, 1.0))
    jets = [jet for jet in fastjet.sorted_by_pt(found.inclusive_jets(20)) if abs(jet.eta()) < 2.5][:2]
    return [(jet.pt(), jet.eta(), jet.phi_std(), jet.m(), jet.e(), len(jet.constituents())) for jet in jets]


def test_jets_are_those_of_fastjet(events):
    counts = np.array([len(event) for event in events])
    event, members, offsets, jets = clustered_events(counts, columns_of(events), CARD)
    wanted = [(number, *jet) for number, one in enumerate(events) if len(one) for jet in by_fastjet(one)]
    found = np.stack(
        [event, *(jets[name] for name in ("pt", "eta", "phi", "mass", "energy")), np.diff(offsets)], axis=1
    )
    assert found == pytest.approx(np.array(wanted), rel=1e-9, abs=1e-9)
    assert len(found) == 24
    assert (np.searchsorted(np.cumsum(counts), members, side="right") == np.repeat(event, np.diff(offsets))).all()
    pt = columns_of(events)["pt"][members]
    assert all((np.diff(pt[start:stop]) <= 0).all() for start, stop in pairwise(offsets))


def test_one_jet_of_an_event(events):
    event, *_ = clustered_events(
        np.array([len(event) for event in events]), columns_of(events), CARD.model_copy(update={"leading": 1})
    )
    assert event.tolist() == list(range(12))


def write_lhco(path, events):
    """A frame of floats in format `fixed`, whose columns are numbers (doi:10.5281/zenodo.4536377)."""
    table = np.zeros((len(events), 3 * N_HADRONS + 1))
    for row, event in zip(table, events, strict=True):
        row[: 3 * len(event)] = event.ravel()
    table[::3, -1] = 1
    pd.DataFrame(table).to_hdf(path, key="df", mode="w", format="fixed", complib="blosc", complevel=5)
    return table[:, -1]


def test_the_lhc_olympics(events, tmp_path):
    """Two rows an event; whatever looks for di-jets finds them, and a split keeps an event together."""
    truth = write_lhco(tmp_path / "events.h5", events)
    provenance = import_jets([tmp_path / "events.h5"], tmp_path / "p.h5", mapping_card("lhco", None), quiet=True)
    assert violations(tmp_path / "p.h5") == []
    counts = provenance.sources[0].counts
    assert (counts.events, counts.events_with_rows, counts.rows) == (13, 12, 24)
    with PairFile(tmp_path / "p.h5") as file:
        event, identity = file.read("hard_scatter/event"), file.read("hard_scatter/identity")
        assert event.tolist() == np.repeat(np.arange(12), 2).tolist()
        assert (identity[::2] == identity[1::2]).all()
        assert len(set(identity.tolist())) == 12
        assert file.label_names().tolist() == [("qcd", "signal")[int(truth[number])] for number in event]
        pt = file.jets("nominal", "pt")
        assert (pt[::2] >= pt[1::2]).all()
    splits = split_rows(rows_of([tmp_path / "p.h5"]), Fractions())
    for part in (splits.train, splits.validation, splits.test):
        assert set(np.bincount(event[part]).tolist()) <= {0, 2}
    found = dijets(load_pairs([tmp_path / "p.h5"]), 0, ["signal"], ["qcd"], 10.0)
    assert found.rows.tolist() == np.arange(24).reshape(12, 2).tolist()
    assert found.is_signal.tolist() == (truth[:12] == 1).tolist()


def test_batches_of_any_size_give_the_same(events, tmp_path, monkeypatch):
    write_lhco(tmp_path / "events.h5", events)
    card = mapping_card("lhco", None)
    import_jets([tmp_path / "events.h5"], tmp_path / "one.h5", card, quiet=True)
    monkeypatch.setattr("resim.formats.import_jets.JETS_AT_ONCE", 4)
    import_jets([tmp_path / "events.h5"], tmp_path / "many.h5", card, quiet=True)
    with PairFile(tmp_path / "one.h5") as one, PairFile(tmp_path / "many.h5") as many:
        assert (one.read("hard_scatter/identity") == many.read("hard_scatter/identity")).all()
        assert (one.constituents("nominal", "pt") == many.constituents("nominal", "pt")).all()


@pytest.mark.parametrize("at_once", [1, 10_000])
def test_files_and_batches_in_which_no_event_has_a_jet(tmp_path, monkeypatch, caplog, at_once):
    monkeypatch.setattr("resim.formats.import_jets.JETS_AT_ONCE", at_once)
    write_lhco(tmp_path / "events.h5", [np.array([[5.0, 0.1, 0.2]]), np.zeros((0, 3)), np.array([[4.0, 1.0, 3.0]])])
    provenance = import_jets([tmp_path / "events.h5"], tmp_path / "p.h5", mapping_card("lhco", None), quiet=True)
    counts = provenance.sources[0].counts
    assert (counts.events, counts.events_with_rows, counts.rows) == (3, 0, 0)
    assert "events.h5: none of the events became a row; check `unit` and `cluster` in the mapping card" in caplog.text
    assert violations(tmp_path / "p.h5") == []


def test_events_have_no_jets(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(
        "name: x\ncontainer: {kind: parquet}\nlabels: {all: data}\ncluster: {radius: 1.0, pt_min: 20}\n"
        "columns: {momenta: {unit: GeV, pt: a, eta: b, phi: c, mass: 0}, jets: {unit: GeV, pt: d}}\n"
    )
    with pytest.raises(InputError, match="entries are events, which have no views, no jets"):
        mapping_card(None, path)
