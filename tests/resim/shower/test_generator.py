"""A generator of an installed package: that of examples/plugin."""

import importlib
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from resim.card.generation_card import load_card
from resim.card.run_options import RunOptions
from resim.card.view_plan import plan_from_records, plan_views
from resim.cli import cli
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.run.generate import generate
from resim.shower.event_record import FINAL_PARTICLE
from resim.shower.generator import package_generator
from resim.shower.hepmc import ShoweredEvent
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY
from tests.helpers.packages import install

CODE = (REPOSITORY / "examples/plugin/jetssl_deep_sets/generator.py").read_text()
POINTS = "[resim.generators]\npions = fake_pions:Pions\nnumber = fake_pions:PION_MASS\nsection = fake_pions:Other\n"


@pytest.fixture(autouse=True)
def package(tmp_path, monkeypatch):
    install(tmp_path, "fake_pions", f"{CODE}\n\nclass Other:\n    section = PionsSection\n", POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    package_generator.cache_clear()
    yield
    sys.modules.pop("fake_pions", None)


def write_card(tmp_path, **shower):
    shower = {"generator": "pions"} | shower
    views = {"nominal": {"shower": shower}, "again": {"from": "nominal", "freeze": "hard_scatter"}}
    content = {"sources": [{"lhe": str(HARD_SCATTERS / "hbb_j.lhe.gz"), "rows": {25: "hbb"}}], "views": views}
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.slow
def test_views_of_a_package(tmp_path, monkeypatch):
    monkeypatch.setattr("resim.card.view_plan.SLICE_EVENTS", 4)
    card = write_card(tmp_path, options={"pions": 20})
    files = [tmp_path / "a.h5", tmp_path / "b.h5"]
    options = RunOptions(n_events=8, chunk_size=4, quiet=True)
    provenance = generate(card, files[0], options)
    generate(card, files[1], replace(options, chunk_size=8))
    assert digest(files[0]) == digest(files[1])
    assert violations(files[0]) == []
    assert provenance.versions["fake_pions"] == "1.2"
    with PairFile(files[0]) as file:
        pions = [set(np.abs(file.read(f"views/{view}/constituents/pdg_id"))) for view in ("nominal", "again")]
        assert pions[0] | pions[1] <= {111, 211}
        first, second = (file.read(f"views/{view}/constituents/pt") for view in ("nominal", "again"))
        assert not np.array_equal(first[:10], second[:10])
        (planned, *_) = plan_from_records(file.views)
    assert planned.generator == plan_views(load_card(card))[0].generator


@pytest.mark.parametrize(
    ("shower", "message"),
    [
        (
            {"generator": "nobody"},
            "generator: 'nobody': want one of pythia8, herwig7, number, pions, section, or inst",
        ),
        ({"generator": "os:system"}, "generator: 'os:system': want one of pythia8, herwig7"),
        ({"options": {"pions": 0}}, "options of pions: pions: Input should be greater than or equal to 1, not '0'"),
        ({"options": {"poins": 3}}, "options of pions: poins: Extra inputs are not permitted, not '3'"),
        ({"card": "x.in"}, "generator 'pions' of a package reads no card; want `options`"),
        ({"mu_r_fsr": 1.4}, "'mu_r_fsr'. are Pythia's"),
        ({"generator": "pythia8", "options": {"a": 1}}, "pythia8 has no options; say it in its card"),
        (
            {"generator": "number"},
            "generators: 'number' of package fake_pions 1.2: its attribute `section` is no sub",
        ),
        ({"generator": "section"}, "its section has the name 'pions'; correct or uninstall the package"),
    ],
)
def test_what_is_wrong_is_one_line(shower, message, tmp_path):
    with pytest.raises(InputError, match=message) as error:
        load_card(write_card(tmp_path, **shower))
    assert "\n" not in str(error.value)


def test_its_parton_level_is_not_frozen(tmp_path):
    card = write_card(tmp_path)
    card.write_text(card.read_text().replace("freeze: hard_scatter", "freeze: parton_shower"))
    with pytest.raises(InputError, match="the parton level of pions cannot be frozen"):
        load_card(card)


def test_no_generator(tmp_path):
    (view, *_) = plan_views(load_card(write_card(tmp_path)))
    sys.modules["fake_pions"].Pions = sys.modules["fake_pions"].Other
    with pytest.raises(InputError, match=r"is no subclass of resim\.shower\.generator\.Generator"):
        package_generator((), view.generator)


def test_listed_with_its_options():
    text = CliRunner().invoke(cli, ["generators"]).output
    assert "herwig7 (resim-jets): Herwig 7" in text
    assert "pions (fake_pions 1.2): Pions along partons; a toy.\n  pions: 10  of each outgoing parton" in text


def test_a_file_is_read_without_the_package(tmp_path, monkeypatch):
    (view, *_) = plan_views(load_card(write_card(tmp_path, options={"pions": 20})))
    monkeypatch.undo()  # it is found no more
    importlib.invalidate_caches()
    (planned,) = plan_from_records([view.record()])
    assert planned.generator == view.generator
    with pytest.raises(InputError, match="'pions' is added by no installed package, want one; install or uninstall"):
        package_generator((), planned.generator)


def test_options_alone_are_for_the_generator_of_the_parent(tmp_path):
    path = write_card(tmp_path, options={"pions": 20})
    content = yaml.safe_load(path.read_text())
    content["views"]["again"]["shower"] = {"options": {"kick": 0.25}}
    path.write_text(yaml.safe_dump(content))
    card = load_card(path)
    assert plan_views(card)[1].generator.lines == ('{"name":"pions","pions":10,"kick":0.25}',)
    assert plan_views(
        type(card).model_validate(card.resolved().model_dump(mode="json", by_alias=True))
    ) == plan_views(card)
    del content["views"]["nominal"]["shower"]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"views\.again: pythia8 has no options; say it in its card"):
        load_card(path)


def fails(events, seed):
    raise ZeroDivisionError("no quarks\nat all")


NO_PIONS = np.empty(0, FINAL_PARTICLE)
FAULTS = {
    "events are left out": (lambda events, seed: [], "made 0 events of 3, want one for each"),
    "anything is raised": (fails, r"ZeroDivisionError: no quarks\)"),
    "no event": (lambda events, seed: [1, 2, 3], "AttributeError: 'int' object has no attribute 'particles'"),
    "no particles": (lambda events, seed: 3 * [ShoweredEvent(np.zeros(2), ())], "no array of FINAL_PARTICLE"),
    "taus": (
        lambda events, seed: 3 * [ShoweredEvent(NO_PIONS, ((211, 16),))],
        "made 1 tau decays for 0 outgoing taus",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_a_package_does_wrong_is_one_line_that_names_it(tmp_path, monkeypatch, fault):
    simulate, message = FAULTS[fault]
    path = write_card(tmp_path)
    load_card(path)
    monkeypatch.setattr(
        sys.modules["fake_pions"].Pions, "simulate", lambda self, events, seed: simulate(events, seed)
    )
    with pytest.raises(
        InputError, match=r"generators: 'pions' of package fake_pions 1\.2: fails .*" + message
    ) as error:
        generate(path, tmp_path / "a.h5", RunOptions(n_events=3, quiet=True))
    assert "\n" not in str(error.value)
    assert str(error.value).endswith("; correct or uninstall the package")
    assert error.value.__cause__ is not None  # which --debug shows
    assert not (tmp_path / "a.h5").exists()


def test_a_generator_that_cannot_be_made(tmp_path, monkeypatch):
    (view, *_) = plan_views(load_card(write_card(tmp_path)))
    monkeypatch.delattr(sys.modules["fake_pions"].Pions, "__init__")
    with pytest.raises(
        InputError, match=r"'pions' of package fake_pions 1\.2: fails \(TypeError: Pions\(\) takes no"
    ):
        package_generator((), view.generator)
