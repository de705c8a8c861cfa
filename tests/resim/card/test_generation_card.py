from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from resim.card.generation_card import load_card
from resim.card.view_plan import plan_views
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY


def card_with(card: Path, tmp_path: Path, **changes: object) -> Path:
    content = yaml.safe_load(card.read_text()) | changes
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((REPOSITORY / "cards/generate").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_cards_load_from_anywhere(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for lhe in (Path(source["lhe"]) for source in yaml.safe_load(path.read_text())["sources"]):
        if not (REPOSITORY / lhe).is_file():  # one that a process card makes
            name = lhe.name.removesuffix(".lhe.gz")
            assert any(
                (REPOSITORY / f"cards/process/{card}.yaml").is_file() for card in (name, f"{path.stem}_{name}")
            )
            lhe.parent.mkdir(parents=True, exist_ok=True)
            lhe.touch()
    card = load_card(path)
    assert all(source.lhe.is_file() for source in card.sources)
    assert plan_views(card)


def test_there_is_a_card_for_every_shipped_sample():
    samples = {path.name.removesuffix(".lhe.gz") for path in (REPOSITORY / "cards/hard_scatter").glob("*.lhe.gz")}
    assert samples <= {path.stem for path in (REPOSITORY / "cards/generate").glob("*.yaml")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jet": {}}, "unknown key jet; valid keys here: sources, select, views, detector, jets"),
        ({"jets": {"radius": 0.8, "ptmin": 200}}, "unknown key jets.ptmin; valid keys here: algorithm, radius, pt_min"),
        ({"jets": {"radius": -1}}, r"jets.radius: -1: .*greater than 0"),
        ({"select": {"parton_pt_min": 500, "parton_pt_max": 400}}, "parton_pt_min 500.0 must be below parton_pt_max 400"),
        ({"detector": "cms"}, "detector: 'cms': .*none"),
        ({"sources": []}, "sources: .*at least 1"),
        ({"views": {"a": {}, "b": {}}}, "want exactly one root"),
        ({"views": {"a": {}, "b": {"from": "c", "freeze": "hard_scatter"}}}, "views.b: parent 'c' is none of"),
        ({"views": {"a": {}, "b": {"from": "a"}}}, "`from` and `freeze` go together"),
        ({"views": {"a": {}, "b": {"from": "a", "freeze": "detector"}}}, "views.b.freeze: 'detector'"),
        ({"views": {"r": {}, "a": {"from": "b", "freeze": "hard_scatter"}, "b": {"from": "a", "freeze": "hard_scatter"}}}, "loop"),
        ({"views": {"a": {"shower": {"card": "no.cmnd"}}}}, "file no.cmnd not found"),
        ({"views": {"a": {}, "b": {"from": "a", "freeze": "hard_scatter", "repeat": 0}}}, "views.b.repeat: 0: .*equal to 1"),
        ({"views": {"a": {}, "b": {"from": "a", "freeze": "hard_scatter", "repeat": 200}}}, "201 with .* lower `repeat`"),
        ({"views": {"a": {"repeat": 2}}}, "views.a: repeat 2: the root is one view"),
        ({"views": {"a": {}, "b/0": {"from": "a", "freeze": "hard_scatter"}}}, "views.b/0.*pattern"),
    ],
)  # fmt: skip
def test_bad_cards_are_named_in_one_line(card, tmp_path, changes, message):
    path = card_with(card, tmp_path, **changes)
    with pytest.raises(InputError, match=message) as caught:
        load_card(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed:", "nominal:", "key 'nominal' stands twice"),
        ("mu_r_fsr: 0.5", "mu_r_fsr: 4", "views.fsr_up.shower.mu_r_fsr: 4: .*less than or equal to 3.16"),
        ("mu_r_fsr: 0.5", "mu_r: 0.5", "unknown key views.fsr_up.shower.mu_r; valid keys here: generator, card"),
        (
            "freeze: parton_shower}",
            "frozen: x}",
            "unknown key views.rehadron.frozen; valid keys here: from, freeze, repeat, shower",
        ),
        ("parton_pt_min: 300", "parton_pt_min: .inf", "select.parton_pt_min: inf: .*finite"),
    ],
)
def test_bad_lines_are_named(card, tmp_path, old, new, message):
    text = card.read_text()
    assert old in text
    path = tmp_path / "bad.yaml"
    path.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=message):
        load_card(path)


def test_a_frozen_parton_shower_cannot_be_changed(card, tmp_path):
    views = {"a": {}, "b": {"from": "a", "freeze": "parton_shower", "shower": {"mu_r_fsr": 2.0}}}
    with pytest.raises(InputError, match="cannot change the `shower`"):
        load_card(card_with(card, tmp_path, views=views))


@pytest.mark.parametrize("text", ["", "[1, 2", "just words", "\t: {"])
def test_not_a_card(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"bad\.yaml: "):
        load_card(path)


@pytest.mark.slow
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_yaml_gives_a_card_or_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "card.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError) as caught:
        load_card(path)
    assert "\n" not in str(caught.value)


def test_a_view_changes_the_detector_of_its_parent(card, tmp_path):
    cms, ideal = (str(REPOSITORY / f"cards/delphes/{name}.tcl") for name in ("cms", "ideal"))
    views = {
        "root": {},
        "other": {"from": "root", "freeze": "hadronization", "detector": {"card": ideal}},
        "real": {"from": "other", "freeze": "hadronization", "detector": {"backend": "delphes"}},
        "generated": {"from": "root", "freeze": "hadronization", "detector": "none"},
    }
    resolved = load_card(card_with(card, tmp_path, views=views, detector={"card": cms}))
    detectors = {name: stages.detector for name, stages in resolved.stages().items()}
    assert (str(detectors["root"].card), str(detectors["other"].card)) == (cms, ideal)
    assert (str(detectors["real"].card), detectors["real"].backend) == (ideal, "delphes")
    assert detectors["generated"] == "none"
    again = type(resolved).model_validate(resolved.resolved().model_dump(mode="json", by_alias=True))
    assert {name: stages.detector for name, stages in again.stages().items()} == detectors
    views["again"] = {"from": "generated", "freeze": "hadronization"}
    with pytest.raises(InputError, match=r"views\.again: freezes the hadronization and no detector follows"):
        load_card(card_with(card, tmp_path, views=views, detector={"card": cms}))
    with pytest.raises(InputError, match=r"views\.root: its detector has no card"):
        load_card(card_with(card, tmp_path, views={"root": {"detector": {"backend": "delphes"}}}))


@pytest.mark.parametrize(
    ("shower", "message"),
    [
        ({"model": "vincia", "mu_r_fsr": 0.5}, "mu_r_fsr and mu_r_isr are those of the simple shower"),
        ({"settings": [" Random:seed = 77"]}, "sets Random:seed, which resim controls"),
        ({"settings": ["HardQCD:all = on"]}, "sets HardQCD:all, but the hard scatter is that of the LHE file"),
        ({"settings": ["Merging:doKTMerging = on"]}, "sets Merging:doKTMerging, but the hard scatter"),
        ({"settings": ["TimeShower:renormMultFac = 2"], "mu_r_fsr": 0.5}, "TimeShower:renormMultFac is set, and a factor"),
    ],
)  # fmt: skip
def test_showers_that_would_not_do_what_the_card_says(card, tmp_path, shower, message):
    with pytest.raises(InputError, match=message):
        plan_views(load_card(card_with(card, tmp_path, views={"root": {"shower": shower}})))


def test_a_view_called_off_is_told_from_a_boolean(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text("sources: [{lhe: a.lhe, rows: {25: h}}]\nviews:\n  off: {}\n")
    with pytest.raises(InputError, match=r"views.*: False: .* YAML reads on, off, yes and no as .* in quotes"):
        load_card(path)
