"""The tree of views: what is shared, what is not, and how simulators other than Pythia take part."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from resim.card.generation_card import load_card
from resim.card.run_options import RunOptions
from resim.card.stages import DetectorSection
from resim.card.view_plan import DetectorPlan
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.run import planning
from resim.run.generate import generate
from resim.run.replay import replay
from resim.shower import simulate_views as realization
from resim.shower.event_record import FINAL_PARTICLE
from resim.shower.herwig import Herwig, herwig_for
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY

OPTIONS = RunOptions(n_events=12, chunk_size=4, quiet=True)
MONASH = str(REPOSITORY / "cards/pythia/monash.cmnd")
NOMINAL = {"shower": {"card": MONASH}}


def herwig_view(parent: str = "nominal") -> dict:
    card = str(REPOSITORY / "cards/herwig/default.in")
    return {"from": parent, "freeze": "hard_scatter", "shower": {"generator": "herwig7", "card": card}}


def write_card(tmp_path, sample: str, rows: dict, views: dict, **more: object):
    content = {"sources": [{"lhe": str(HARD_SCATTERS / f"{sample}.lhe.gz"), "rows": rows}], "views": views, **more}
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def small_slices(monkeypatch):
    monkeypatch.setattr("resim.card.view_plan.SLICE_EVENTS", 4)


@pytest.mark.slow
def test_a_herwig_view_hangs_on_the_same_hard_scatters(stand_in, small_slices, tmp_path):
    card = write_card(tmp_path, "hbb_j", {25: "hbb"}, {"nominal": NOMINAL, "herwig": herwig_view()})
    files = [tmp_path / "a.h5", tmp_path / "b.h5"]
    provenance = generate(card, files[0], OPTIONS)
    generate(card, files[1], replace(OPTIONS, chunk_size=9))  # rounded to whole slices
    assert digest(files[0]) == digest(files[1])
    assert violations(files[0]) == []
    assert provenance.versions["herwig"] == "7.3.0"
    with PairFile(files[0]) as file:
        assert file.views[1].settings["generator"] == "herwig7"
        assert file.views[1].settings["slice_events"] == 4
        assert file.valid("herwig").mean() > 0.8
        seeds, events = file.read("views/herwig/seeds/shower"), file.hard_scatter("event")
        assert len(set(zip(events // 4, seeds, strict=True))) == len(set(seeds)) == 3  # one seed a slice
    assert replay(files[0], 5).differing == ()


@pytest.mark.slow
def test_replay_names_another_herwig(stand_in, small_slices, tmp_path, monkeypatch):
    card = write_card(tmp_path, "hbb_j", {25: "hbb"}, {"nominal": NOMINAL, "herwig": herwig_view()})
    generate(card, tmp_path / "a.h5", replace(OPTIONS, n_events=2))
    monkeypatch.setenv("STAND_IN_VERSION", "7.2.3")
    herwig_for.cache_clear()
    assert replay(tmp_path / "a.h5", 0).changed_versions == {"herwig": ("7.3.0", "7.2.3")}


@pytest.mark.slow
def test_a_slice_that_fails_is_made_again_with_another_seed(stand_in, small_slices, tmp_path, monkeypatch):
    card = write_card(tmp_path, "hbb_j", {25: "hbb"}, {"nominal": NOMINAL, "herwig": herwig_view()})
    real, failures = Herwig.simulate, []

    def fail_once(self, events, seed):
        if not failures:
            failures.append(seed)
            raise realization.SliceFailed("no luck")
        return real(self, events, seed)

    monkeypatch.setattr(Herwig, "simulate", fail_once)
    output = tmp_path / "pairs.h5"
    generate(card, output, replace(OPTIONS, n_events=3))
    with PairFile(output) as file:
        assert failures[0] not in file.read("views/herwig/seeds/shower")
        assert file.valid("herwig").any()


def test_a_slice_that_always_fails_stops_the_run_and_names_the_log(stand_in, tmp_path, monkeypatch):
    monkeypatch.setenv("STAND_IN_MODE", "crash")
    card = write_card(tmp_path, "hbb_j", {25: "hbb"}, {"nominal": NOMINAL, "herwig": herwig_view()})
    with pytest.raises(InputError, match=r"Herwig, seed \d+: .*log: .*herwig\.out"):
        generate(card, tmp_path / "pairs.h5", replace(OPTIONS, n_events=2))


def test_without_herwig_the_card_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    herwig_for.cache_clear()
    card = write_card(tmp_path, "hbb_j", {25: "hbb"}, {"nominal": NOMINAL, "herwig": herwig_view()})
    with pytest.raises(InputError, match="executable Herwig not found on PATH"):
        generate(card, tmp_path / "pairs.h5", OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["card.yaml"]


@pytest.mark.slow
def test_taus_keep_their_channel_where_they_can_and_are_counted_where_not(stand_in, tmp_path):
    views = {
        "nominal": NOMINAL,
        "seed": {"from": "nominal", "freeze": "hard_scatter"},
        "rehadron": {"from": "nominal", "freeze": "parton_shower"},
        "again": {"from": "seed", "freeze": "parton_shower"},
        "herwig": herwig_view(),
    }
    jets = {"radius": 0.4, "pt_min": 20}
    rows = {15: {1: "tau1p", 3: "tau3p"}}
    output = tmp_path / "pairs.h5"
    provenance = generate(write_card(tmp_path, "tautau", rows, views, jets=jets), output, OPTIONS)
    assert violations(output) == []
    for view in ("seed", "rehadron", "again"):
        assert "decay_channel" not in provenance.views[view].lost
    assert provenance.views["herwig"].lost["decay_channel"] > 0
    counts = provenance.sources[0].counts
    assert counts.rejected["tau_decay"] > 0  # the leptonic ones
    assert counts.rows + sum(counts.rejected.values()) == counts.partons == 24
    with PairFile(output) as file:
        assert set(file.label_names()) == {"tau1p", "tau3p"}
        for view in ("nominal", "seed", "rehadron", "again"):
            for label, most in (("tau1p", 1), ("tau3p", 3)):
                _at_least_prongs(file, view, label, most)


def _at_least_prongs(file: PairFile, view: str, label: str, n_prongs: int) -> None:
    charge, offsets = file.constituents(view, "charge"), file.offsets(view)
    pt = file.constituents(view, "pt")
    for row in (file.valid(view) & (file.label_names() == label)).nonzero()[0]:
        here = slice(offsets[row], offsets[row + 1])
        assert ((charge[here] != 0) & (pt[here] > 0.5)).sum() >= n_prongs


def test_views_form_a_tree_and_each_shares_what_it_froze(tmp_path):
    views = {
        "nominal": NOMINAL,
        "seed": {"from": "nominal", "freeze": "hard_scatter"},
        "rehadron": {"from": "seed", "freeze": "parton_shower"},
        "third": {"from": "rehadron", "freeze": "parton_shower"},
    }
    output = tmp_path / "pairs.h5"
    generate(write_card(tmp_path, "qcd_jj", {21: "g"}, views), output, OPTIONS)
    with PairFile(output) as file:
        shower = {view: file.read(f"views/{view}/seeds/shower").tolist() for view in views}
        hadrons = {view: tuple(file.read(f"views/{view}/seeds/hadronization").tolist()) for view in views}
    assert shower["seed"] == shower["rehadron"] == shower["third"] != shower["nominal"]
    assert len(set(hadrons.values())) == 4


CMS = {"card": str(REPOSITORY / "cards/delphes/cms_tracking.tcl")}


@pytest.fixture(scope="module")
def detected(tmp_path_factory):
    """A file whose root has no detector, and views that differ in the detector alone."""
    folder = tmp_path_factory.mktemp("detected")
    views = {
        "generated": NOMINAL,
        "reco": {"from": "generated", "freeze": "hadronization", "detector": CMS},
        "redetect": {"from": "reco", "freeze": "hadronization"},
        "rehadron": {"from": "reco", "freeze": "parton_shower"},
    }
    card = write_card(folder, "qcd_jj", {21: "g", 1: "q", 2: "q"}, views, select={"parton_pt_min": 250})
    generate(card, folder / "pairs.h5", OPTIONS)
    generate(card, folder / "other.h5", replace(OPTIONS, chunk_size=7))
    return folder


def test_views_that_freeze_the_hadronization_differ_in_the_detector_alone(detected):
    assert violations(detected / "pairs.h5") == []
    with PairFile(detected / "pairs.h5") as file:
        for stage in ("shower", "hadronization"):
            seeds = {tuple(file.read(f"views/{view}/seeds/{stage}")) for view in ("generated", "reco", "redetect")}
            assert len(seeds) == 1
        seeds = {view: file.read(f"views/{view}/seeds/detector") for view in file.view_names}
        assert (seeds["generated"] == 0).all()
        assert (seeds["reco"] != seeds["redetect"]).all()
        both = file.valid("generated") & file.valid("reco") & file.valid("redetect")
        assert both.sum() > 5
        for column in ("pt", "eta", "phi", "mass"):
            truth = file.jets("generated", column)[both]
            for view in ("reco", "redetect"):
                assert np.array_equal(file.read(f"views/{view}/particle_jets/{column}")[both], truth)
        response = file.jets("reco", "pt")[both] / file.jets("generated", "pt")[both]
        assert 0.85 < np.median(response) < 1.1
        assert not np.array_equal(file.jets("reco", "pt")[both], file.jets("redetect", "pt")[both])
        assert file.views[2].settings["detector"]["card"] == CMS["card"]


def test_reconstructed_constituents_are_candidates_with_measured_tracks(detected):
    with PairFile(detected / "pairs.h5") as file:
        pdg_id, charge = (file.constituents("reco", name) for name in ("pdg_id", "charge"))
        error = file.constituents("reco", "d0_err")
    assert set(pdg_id[charge == 0]) <= {0, 22}
    assert (error[charge != 0] > 0).all()
    assert (error[charge == 0] == 0).all()


def test_the_detector_does_not_depend_on_chunks_and_its_rows_can_be_replayed(detected):
    assert digest(detected / "pairs.h5") == digest(detected / "other.h5")
    assert replay(detected / "pairs.h5", 4).differing == ()


def test_another_content_of_the_detector_card_is_another_detector(detected, monkeypatch):
    changed = DetectorPlan(DetectorSection.model_validate(CMS), "0" * 64)
    monkeypatch.setattr(DetectorPlan, "of", lambda *_: changed)
    with pytest.raises(InputError, match=r"cms_tracking\.tcl: missing, or not the card that the file was made with"):
        replay(detected / "pairs.h5", 4)
    with pytest.raises(InputError, match=r"holds chunks of another card|made with another card"):
        generate(detected / "card.yaml", detected / "pairs.h5", replace(OPTIONS, resume=True))


@pytest.mark.slow
def test_rows_may_be_asked_for_a_particle_level_jet(tmp_path):
    views = {"reco": NOMINAL | {"detector": CMS}}
    jets = {"radius": 0.4, "pt_min": 25, "particle_pt_min": 280}
    card = write_card(tmp_path, "qcd_jj", {21: "g", 1: "q", 2: "q"}, views, jets=jets, detector=CMS)
    output = tmp_path / "pairs.h5"
    provenance = generate(card, output, replace(OPTIONS, n_events=40))
    assert provenance.views["reco"].lost["no_particle_jet"] > 0
    with PairFile(output) as file:
        valid = file.valid("reco")
        assert (file.read("views/reco/particle_jets/pt")[valid] >= 280).all()
        assert (file.jets("reco", "pt") != file.read("views/reco/particle_jets/pt"))[valid].all()


def test_freezing_everything_needs_a_detector(tmp_path):
    views = {"nominal": NOMINAL, "same": {"from": "nominal", "freeze": "hadronization"}}
    with pytest.raises(InputError, match=r"views\.same: freezes the hadronization and no detector follows"):
        generate(write_card(tmp_path, "qcd_jj", {21: "g"}, views), tmp_path / "pairs.h5", OPTIONS)


def test_broken_events_are_passed_over_on_demand_and_counted(tmp_path, qcd_text):
    lines = qcd_text.splitlines(keepends=True)
    starts = [i for i, line in enumerate(lines) if line.startswith("<event")]
    lines[starts[1] + 3] = "not a particle\n"
    (tmp_path / "broken.lhe").write_text("".join(lines))
    content = {"sources": [{"lhe": str(tmp_path / "broken.lhe"), "rows": {21: "g", 1: "q", 2: "q"}}]}
    card = tmp_path / "card.yaml"
    card.write_text(yaml.safe_dump(content | {"views": {"nominal": NOMINAL}}))
    with pytest.raises(InputError, match=r"broken\.lhe:\d+: event 1: .*--skip-bad-events"):
        generate(card, tmp_path / "pairs.h5", replace(OPTIONS, n_events=None))
    outputs = [tmp_path / "a.h5", tmp_path / "b.h5"]
    for output, size in zip(outputs, (1, 5), strict=True):
        options = replace(OPTIONS, n_events=None, chunk_size=size, skip_bad_events=True)
        provenance = generate(card, output, options)
        assert provenance.sources[0].bad_events == {"unparsable": 1}
        assert provenance.sources[0].counts.events == len(starts) - 1
    assert digest(outputs[0]) == digest(outputs[1])
    with PairFile(outputs[0]) as file:
        events = file.hard_scatter("event")
        assert 1 not in file.hard_scatter("event")
        assert 2 in file.hard_scatter("event")
    assert replay(outputs[0], len(events) - 1).differing == ()


def test_failures_count_to_the_end_also_across_resumed_runs_and_unlabelled_taus(tmp_path, monkeypatch):
    rows = {15: {1: "tau1p", 3: "tau3p"}}
    card = write_card(tmp_path, "tautau", rows, {"nominal": NOMINAL}, jets={"radius": 0.4, "pt_min": 20})
    monkeypatch.setattr(realization.Pythia, "hadronize", lambda self, record, seed, taus: None)
    for resume in (False, True, True):
        with pytest.raises(InputError, match="view nominal: the generator gave up the events of"):
            generate(card, tmp_path / "pairs.h5", replace(OPTIONS, resume=resume))


def test_no_failure_is_allowed_where_the_card_says_none(tmp_path, monkeypatch):
    card = write_card(tmp_path, "qcd_jj", {21: "g", 1: "q", 2: "q"}, {"nominal": NOMINAL}, max_failures=0)
    real, calls = realization.Pythia.shower, []

    def fail_the_first_event(self, event, seed, keep=True):
        calls.append(event)
        return None if event is calls[0] else real(self, event, seed, keep)

    monkeypatch.setattr(realization.Pythia, "shower", fail_the_first_event)
    with pytest.raises(InputError, match=r"gave up the events of \d of \d rows, max_failures allows 0\.0"):
        generate(card, tmp_path / "pairs.h5", OPTIONS)


def test_the_same_file_twice_is_refused(tmp_path):
    card = write_card(tmp_path, "qcd_jj", {21: "g"}, {"nominal": NOMINAL})
    content = yaml.safe_load(card.read_text())
    content["sources"].append(content["sources"][0] | {"rows": {21: "other"}})
    card.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"the same events as .*name it once, with all its `rows`"):
        generate(card, tmp_path / "pairs.h5", OPTIONS)


@pytest.mark.slow
def test_a_refused_tau_keeps_its_jet(tmp_path):
    """Rows never take the jet of a parton that is nearer to it, whether that one became a row or not."""
    output = tmp_path / "pairs.h5"
    jets = {"radius": 0.4, "pt_min": 20, "match_delta_r": 0.8}
    for name, rows in (("all", {15: "tau"}), ("some", {15: {1: "tau1p", 3: "tau3p"}})):
        output = tmp_path / f"{name}.h5"
        options = replace(OPTIONS, n_events=60, chunk_size=100)
        generate(write_card(tmp_path, "tautau", rows, {"nominal": NOMINAL}, jets=jets), output, options)
    with PairFile(tmp_path / "all.h5") as every, PairFile(tmp_path / "some.h5") as some:
        jets_of = [
            {
                (event, pdg_id): pt
                for event, pdg_id, pt in zip(
                    file.hard_scatter("event"),
                    file.hard_scatter("parton_pdg_id"),
                    file.jets("nominal", "pt"),
                    strict=True,
                )
            }
            for file in (every, some)
        ]
    assert len(jets_of[1]) < len(jets_of[0])
    assert all(pt == jets_of[0][key] or np.isnan(pt) for key, pt in jets_of[1].items())


def test_sources_with_other_beams_and_other_weights(tmp_path, qcd_text):
    """Each source has its own beams in Pythia; weights of any sign are carried along, not applied."""
    first, second = tmp_path / "first.lhe", tmp_path / "second.lhe"
    first.write_text(qcd_text)
    weight = qcd_text.split("<event>")[1].split()[2]
    second.write_text(
        qcd_text.replace("6.500000e+03 6.500000e+03", "6.800000e+03 6.800000e+03").replace(weight, "-2.5", 2)
    )
    rows = {21: "g", 1: "q", 2: "q"}
    content = {
        "sources": [{"lhe": str(path), "rows": rows} for path in (first, second)],
        "different_beams": True,
        "views": {"nominal": NOMINAL},
    }
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(content))
    run = planning.plan_run(load_card(tmp_path / "card.yaml"), OPTIONS)
    assert [source.beams.energy_a for source in run.plan.sources] == [6500.0, 6800.0]
    generate(tmp_path / "card.yaml", tmp_path / "pairs.h5", OPTIONS)
    assert violations(tmp_path / "pairs.h5") == []
    with PairFile(tmp_path / "pairs.h5") as file:
        weights, source = file.hard_scatter("weight"), file.hard_scatter("source")
        assert set(weights[source == 0]) == {float(weight)}
        assert -2.5 in weights[source == 1]
        same = [file.hard_scatter("parton_pt")[source == i].tolist() for i in (0, 1)]
        assert same[0] == same[1]
        assert file.jets("nominal", "pt")[source == 0].tolist() != file.jets("nominal", "pt")[source == 1].tolist()


def test_more_failures_than_the_card_allows_stop_the_run_and_keep_what_is_done(tmp_path, monkeypatch):
    card = write_card(tmp_path, "qcd_jj", {21: "g", 1: "q", 2: "q"}, {"nominal": NOMINAL}, max_failures=0.1)
    monkeypatch.setattr(realization.Pythia, "hadronize", lambda self, record, seed, taus: None)
    output = tmp_path / "pairs.h5"
    with pytest.raises(InputError, match=r"view nominal: the generator gave up .* max_failures allows 0\.1"):
        generate(card, output, replace(OPTIONS, n_events=40))
    assert not output.exists()
    assert list(tmp_path.glob("pairs.h5.chunks/*.npz"))


def test_a_particle_without_energy_is_none():
    photons = np.zeros(2, FINAL_PARTICLE)
    photons["pdg_id"] = 22
    photons["px"][1] = photons["energy"][1] = 1.0
    gathered = realization._gather([realization.Outcome(photons)], np.array([12], np.int32))
    assert gathered.particles.energy.tolist() == [1.0]
    assert gathered.particles.offsets.tolist() == [0, 1]
