"""Whole events as rows: the 19 objects of ADC 2021."""

import h5py
import numpy as np
import pytest

from jetssl.data.features import FEATURE_SETS
from jetssl.data.jets import gather_jets
from jetssl.data.table import load_pairs
from resim.common.errors import InputError
from resim.formats.mapping_card import MappingCard, mapping_card
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from tests.helpers.adc import PDG_IDS, as_jets, toy_events, write_adc
from tests.helpers.chain import run_cli


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """The file as it is published, of 6 events; the last one is empty."""
    objects = toy_events(np.random.default_rng(3), 6)
    objects[5] = 0
    return write_adc(tmp_path_factory.mktemp("adc") / "leptoquarks.h5", objects), objects


def test_objects_are_constituents_in_the_laboratory(events, tmp_path):
    path, objects = events
    output = tmp_path / "events.h5"
    run = run_cli("import", path, "--format", "adc2021", "--label", "leptoquark", "-o", output, "--quiet")
    assert run.exit_code == 0, run.output
    assert not violations(output)
    with PairFile(output) as file:
        assert file.label_names(slice(0, 5)).tolist() == ["leptoquark"] * 5
        assert len(file) == 5
    table = load_pairs([output])
    jets = gather_jets(table, np.zeros(5, np.int64), np.arange(5))
    for i, event in enumerate(objects[:5]):
        own, there = jets.take(np.array([i])), event[event[:, 0] > 0]
        there = there[np.argsort(-there[:, 0])]
        np.testing.assert_allclose(np.stack([own.pt, own.d_eta, own.d_phi], 1), there[:, :3], rtol=1e-5, atol=1e-6)
        assert own.other["pdg_id"].tolist() == PDG_IDS[there[:, 3].astype(int)].tolist()
        np.testing.assert_allclose(own.jet_pt, there[:, 0].sum(), rtol=1e-6)
    _same(jets, as_jets(objects[:5]))
    assert (table.jets.softdrop_mass == 0).all()
    assert np.isfinite(FEATURE_SETS["kinpid"].compute(jets)).all()


def _same(imported, made):
    """So tests of the trainer may make events without a file."""
    for name in ("pt", "d_eta", "d_phi", "counts", "jet_pt", "jet_energy", "jet_eta", "axis"):
        np.testing.assert_allclose(getattr(imported, name), getattr(made, name), rtol=1e-5, atol=1e-6)
    for name in ("charge", "pdg_id"):
        assert np.array_equal(imported.other[name], made.other[name])


def test_an_event_has_no_jet_of_its_own():
    card = mapping_card("adc2021", None).model_dump(exclude_none=True)
    with pytest.raises(ValueError, match="axis beam: objects of an event are not clustered"):
        MappingCard.model_validate(card | {"cluster": {"radius": 1.0, "pt_min": 20}})


def test_events_without_objects_are_said(tmp_path):
    path = tmp_path / "empty.h5"
    with h5py.File(path, "w") as file:
        file["Particles"] = np.zeros((2, 19, 4))
    run = run_cli("import", path, "--format", "adc2021", "-o", tmp_path / "out.h5")
    assert run.exit_code == 0 or isinstance(run.exception, InputError | SystemExit)
    assert "0 rows" in run.output
