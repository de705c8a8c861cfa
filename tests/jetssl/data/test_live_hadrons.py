"""Jets hadronized anew: real events, independence of batches, and what is done when a row has no jet."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from jetssl.common.seeds import Stream
from jetssl.data import live_hadrons
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jets import gather_jets
from jetssl.data.live import Observer
from jetssl.data.live_hadrons import Hadronizer, asked
from jetssl.data.reading import Place
from jetssl.data.table import load_pairs
from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.run.generate import generate
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY

ADDRESS = (1, Stream.TRAINING_BATCH, 4)
MONASH = str(REPOSITORY / "cards/pythia/monash.cmnd")
LABELS = {"hbb_j": {25: "hbb"}, "qcd_jj": {21: "qcd", 1: "qcd", 2: "qcd", 3: "qcd", 4: "qcd"}}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Two files of real events without underlying event, two parton showers each."""
    folder, files = tmp_path_factory.mktemp("hadrons"), []
    for name, rows in LABELS.items():
        shower = {"card": MONASH, "settings": ["PartonLevel:MPI = off"]}
        views = {"nominal": {"shower": shower}, "seed": {"from": "nominal", "freeze": "hard_scatter"}}
        content = {"sources": [{"lhe": str(HARD_SCATTERS / f"{name}.lhe.gz"), "rows": rows}], "views": views}
        card = folder / f"{name}.yaml"
        card.write_text(yaml.safe_dump(content | {"select": {"parton_pt_min": 300}, "jets": {"pt_min": 200}}))
        files.append(folder / f"{name}.h5")
        generate(card, files[-1], RunOptions(n_events=12, quiet=True))
    return load_pairs(files)


@pytest.fixture(scope="module")
def hadronize(table):
    return Hadronizer(Place.of(table.rows), None)


@pytest.fixture(scope="module")
def rows(table):
    usable = np.flatnonzero(table.rows.valid.all(0))
    assert len(usable) > 8
    return usable[[0, -1, 3, 4, 5]]


def wanted_of(rows, address=ADDRESS):
    """The first jet of each row of the first view, the second of the second view."""
    return asked(np.repeat([0, 1], len(rows)), rows, address)


def columns_of(jets):
    return [jets.pt, jets.d_eta, jets.d_phi, jets.counts, jets.jet_pt, *jets.other.values()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(columns_of(first), columns_of(second), strict=True))


@pytest.mark.slow
def test_a_jet_is_near_the_stored_one_of_its_parton_shower(table, hadronize, rows):
    wanted = wanted_of(rows)
    jets, stored = hadronize(wanted), gather_jets(table, wanted.view, wanted.row)
    assert not same(jets, stored)
    ratio = jets.jet_pt / stored.jet_pt
    np.testing.assert_allclose(ratio, 1, atol=0.1)  # hadrons of the same partons
    other_shower = stored.jet_pt[len(rows) :] / stored.jet_pt[: len(rows)]
    assert np.abs(np.log(ratio)).mean() < np.abs(np.log(other_shower)).mean()


def test_a_jet_depends_on_seed_epoch_row_and_place_alone(hadronize, rows):
    jets = hadronize(wanted_of(rows[:3]))
    some = hadronize(wanted_of(rows[[2, 0]]))
    assert same(some, jets.take(np.array([2, 0, 5, 3])))
    twice = hadronize(asked(np.zeros(2, np.int64), rows[:1], ADDRESS))
    assert not same(twice.take(np.array([0])), twice.take(np.array([1])))
    assert same(twice.take(np.array([0])), jets.take(np.array([0])))
    assert not same(hadronize(wanted_of(rows[:3], (*ADDRESS[:2], 5))), jets)


def test_the_detector_sees_what_was_hadronized(table, hadronize, rows):
    seeing = Hadronizer(Place.of(table.rows), Observer(REPOSITORY / "cards/delphes/cms_tracking.tcl", 0.8))
    wanted = wanted_of(rows[:2])
    measured, generated = seeing(wanted), hadronize(wanted)
    assert (measured.other["d0_err"] > 0).any()
    assert not (generated.other["d0_err"] > 0).any()
    np.testing.assert_allclose(measured.jet_pt, generated.jet_pt, rtol=0.3)
    assert set(FEATURE_SETS["relative_ip"].columns) <= set(measured.other)


def test_what_has_no_jet_is_hadronized_again_and_at_last_refused(hadronize, rows, monkeypatch):
    wanted, real, names_of = wanted_of(rows[:1]), hadronize._files[0].rows, []

    def without_jets_at_first(which, view, names):
        names_of.append(names)
        for made in real(which, view, names):
            arrays = made.block.arrays
            lost = {
                f"views/{name}/valid": np.zeros(made.block.n_rows, bool) for name in names if name[-1] < first_good
            }
            yield replace(made, block=replace(made.block, arrays=arrays | lost))

    monkeypatch.setattr(hadronize._files[0], "rows", without_jets_at_first)
    first_good = "2"
    assert len(hadronize(wanted).counts) == 2
    assert [names[0][-1] for names in names_of] == ["0", "0", "1", "1", "2", "2"]
    first_good = "z"
    monkeypatch.setattr(live_hadrons, "_ATTEMPTS", 2)
    with pytest.raises(InputError, match=r"row \d+: 2 hadronizations leave no jet inside the cuts"):
        hadronize(wanted)


def test_an_lhe_file_that_is_gone_is_named(table, tmp_path):
    record = table.rows.files[0]
    place = Place((str(tmp_path / "gone.h5"),), (record.rows,), table.rows.views)
    with pytest.raises(InputError, match=r"gone\.h5"):
        Hadronizer(place, None)
