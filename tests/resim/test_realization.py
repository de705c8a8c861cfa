"""The tree of views: what is shared, what is not, and how simulators other than Pythia take part."""

from dataclasses import replace

import pytest
import yaml

from resim import planning, realization
from resim import replay as replaying
from resim.digest import digest
from resim.engine import generate
from resim.errors import InputError
from resim.options import Options
from resim.reader import PairFile
from resim.replay import replay
from resim.shower.herwig import herwig_for
from resim.validation import violations
from tests.resim.conftest import HARD_SCATTERS, REPOSITORY

OPTIONS = Options(n_events=12, chunk_size=4, quiet=True)
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
    for module in (planning, realization, replaying):
        monkeypatch.setattr(module, "SLICE_EVENTS", 4)


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
        assert file.valid("herwig").mean() > 0.8
        seeds, events = file.read("views/herwig/seeds/shower"), file.hard_scatter("event")
        assert len(set(zip(events // 4, seeds, strict=True))) == len(set(seeds)) == 3  # one seed a slice
    assert replay(files[0], 5).differing == ()


def test_a_slice_that_fails_is_made_again_with_another_seed(stand_in, small_slices, tmp_path, monkeypatch):
    card = write_card(tmp_path, "hbb_j", {25: "hbb"}, {"nominal": NOMINAL, "herwig": herwig_view()})
    real, failures = realization.Herwig.simulate, []

    def fail_once(self, events, seed):
        if not failures:
            failures.append(seed)
            raise realization.SliceFailed("no luck")
        return real(self, events, seed)

    monkeypatch.setattr(realization.Herwig, "simulate", fail_once)
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


def test_more_failures_than_the_card_allows_stop_the_run_and_keep_what_is_done(tmp_path, monkeypatch):
    card = write_card(tmp_path, "qcd_jj", {21: "g", 1: "q", 2: "q"}, {"nominal": NOMINAL}, max_failures=0.1)
    monkeypatch.setattr(realization.Pythia, "hadronize", lambda self, record, seed, taus: None)
    output = tmp_path / "pairs.h5"
    with pytest.raises(InputError, match=r"view nominal: the generator gave up .* max_failures allows 0\.1"):
        generate(card, output, replace(OPTIONS, n_events=40))
    assert not output.exists()
    assert list(tmp_path.glob("pairs.h5.parts/*.npz"))
