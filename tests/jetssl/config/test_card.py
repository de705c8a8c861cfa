import pytest
import yaml

from jetssl.config.card import card_from, load_card
from resim.common.errors import InputError


def test_defaults_are_filled_in(card, mock_file):
    assert card.data.files == (str(mock_file),)
    assert card.objective.name == "ntxent"
    assert yaml.safe_load(card.to_yaml())["data"]["fractions"] == {"train": 0.6, "validation": 0.2, "test": 0.2}


def test_overrides(card_file):
    changed = load_card(
        card_file, ["training.epochs=7", "training.learning_rate=1e-4", "views.pairs=[[seed, nominal]]"]
    )
    assert (changed.training.epochs, changed.training.learning_rate) == (7, 1e-4)
    assert changed.views.pairs == (("seed", "nominal"),)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "encoder.widht=3",
            r"unknown key encoder.widht.*valid keys here: name, width, layers, heads, expansion, drop",
        ),
        (
            "encodr.width=3",
            "unknown key encodr.*valid keys here: data, views, encoder, projector, objective, training",
        ),
        ("encoder.width=33", "width 33 is not a multiple of heads 2"),
        ("encoder={name: part, widht: 3}", "unknown key encoder.widht; valid keys here: width, layers, class_layers"),
        ("encoder={name: part, width: 12}", "width 12 is not a multiple of heads 8"),
        (
            "encoder={name: gnn}",
            "encoder.name: 'gnn': want one of transformer, part, particlenet, rs3l_gnn",
        ),
        ("encoder={name: [part]}", "encoder.name: .'part'.: want one of"),
        (
            "encoder={name: rs3l_gnn, heads: 3}",
            "unknown key encoder.heads; valid keys here: name, width, layers, neigh",
        ),
        ("encoder={name: particlenet, channels: []}", "encoder.channels: ..: .*at least 1 item"),
        ("encoder={name: lgatr, scalars: 12}", "encoder: scalars 12 is not a multiple of heads 8"),
        ("encoder={name: lgatr_slim, beam: plane}", "encoder.beam: 'plane': .*'lightlike'"),
        ("encoder={name: lloca_part, vectors: 5}", "encoder: vectors 5 need 20 channels; a head has 16"),
        ("encoder={name: lgatr, unit: 0}", "encoder.unit: 0: .*greater than 0"),
        ("encoder=3", "encoder: 3: "),
        ("encoder={name: transformer, width: 0}", "encoder.width: 0: .*greater than or equal to 1"),
        ("encoder={name: particlenet, neighbours: 0}", "encoder.neighbours: 0: .*greater than or equal to 1"),
        (
            "encoder={name: interaction_network, hidden: [8, -1]}",
            "encoder.hidden.1: -1: .*greater than or equal to 1",
        ),
        ("projector.output=1", "projector.output: 1: .*greater than or equal to 2"),
        ("data.batch_size=1", "data.batch_size: 1: .*greater than or equal to 2"),
        ("training.precision=half", "training.precision: 'half': .*'single', 'double' or 'bf16'"),
        ("training.compile=maybe", "training.compile: 'maybe': .*boolean"),
        ("training.ema=1", "training.ema: 1: .*less than 1"),
        ("training.patience=0", "training.patience: 0: .*greater than or equal to 1"),
        ("objective={name: vicreg, temperature: 1}", "unknown key objective.temperature; valid keys here: name, inv"),
        ("objective.name=simclr", "objective.name: 'simclr': want one of ntxent, vicreg, sigreg, supcon, supervised"),
        ("projector.hidden=[0]", "projector.hidden.0: 0: "),
        ("training.epochs=0", "training.epochs: 0: .*greater than or equal to 1"),
        ("data.batch_size=many", "data.batch_size: 'many'"),
        ("views.pairs=[[nominal]]", r"views.pairs.0.1: .*Field required"),
        ("views.source=live", "views: source live, live is not given: source live takes a detector, as in live"),
        ("views.live={detector: cms.tcl}", "views: source both, live is given: .* the others take none"),
        ("views={source: live, live: {processes: 2}}", "views.live: neither detector nor rehadronize is given"),
        ("views={source: live, live: {detector: cms.tcl, processes: 0}}", "views.live.processes: 0: .*equal to 1"),
        ("views={source: live, live: {detector: cms.tcl}, pairing: emd}", "views: pairing emd with source live"),
        ("views.pairs=[]", r"views.pairs: .*at least 1 item"),
        ("views.augmentations.crop=1", "views.augmentations.crop: 1: .*less than 1"),
        ("views.augmentations.azimuth=true", "azimuth and rotate are both true.* set rotate or azimuth to false"),
        ("data.views=any", "unknown key data.views"),
        ("data.inputs=[vertices]", r"data.inputs: .*want \[constituents\], \[constituents, vertices\], or \["),
        ("data.inputs=[cells]", r"data.inputs: .*, or \[cells, tracks\]"),
        ("encoder={name: resim_transformer}", "encoder.cells is True, data.inputs is .'constituents'.: change one"),
        ("encoder={name: interaction_network, vertices: true}", "encoder.vertices is True, data.inputs is .'constit"),
        ("data={labelled: false, files: [x], balance: {classes: {a: 1}}}", "data: balance.classes needs labels"),
        ("data.shards=3", "data: batch_size 16 is not a multiple of shards 3"),
        ("data.balance.classes={one_prong: 0}", "data.balance.classes.one_prong: 0: .*greater than 0"),
        ("data.bins.pt=0", "data.bins.pt: 0: .*greater than or equal to 1"),
        ("data.fractions={train: 0.5}", "train . validation . test is 0.9, want 1"),
        ("data.files=[none.h5]", "file none.h5 not found"),
        ("training.epochs={a: 1, a: 2}", "override 'training.epochs=.*key 'a' stands twice"),
        ("training.epochs=2026-99-99", "override 'training.epochs=2026-99-99': not valid YAML"),
        ("training.epochs=" + "[" * 5000, "override 'training.epochs=.*nested too deeply"),
        ("training.epochs", "not of the form section.key=value"),
        ("data.files.x=1", "'files' is not a section"),
    ],
)
def test_bad_values_are_one_line(card_file, override, message):
    with pytest.raises(InputError, match=message) as caught:
        load_card(card_file, [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"), [("data: [", "not valid YAML"), ("- 1", "holds list"), ("", "holds None")]
)
def test_bad_files(tmp_path, text, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        load_card(path)


def test_files_are_found_above_the_card(tmp_path, mock_file, monkeypatch):
    (tmp_path / "cards" / "train").mkdir(parents=True)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "pairs.h5").write_bytes(mock_file.read_bytes())
    path = tmp_path / "cards" / "train" / "card.yaml"
    path.write_text("data: {files: [runs/pairs.h5]}")
    monkeypatch.chdir("/")
    assert load_card(path).data.files == (str(tmp_path / "runs" / "pairs.h5"),)


def test_augmentations_that_would_spoil_vertices(card_file):
    overrides = ["data.inputs=[constituents, vertices]", "views.augmentations.crop=0.1"]
    with pytest.raises(InputError, match=r"crop and split_up_to would take tracks from vertices; set them to 0"):
        load_card(card_file, overrides)
    assert load_card(card_file, [*overrides, "views.source=resim"]).data.feature_set == "relative+vertices"


CELLS = "data.inputs=[cells, tracks]"


def test_cells_and_tracks_stay_together(card_file):
    """What would leave the track of a particle without its cells is refused, and so is hiding either."""
    assert load_card(card_file, [CELLS]).data.feature_set == "cells+tracks"
    for overrides, message in (
        (["views.augmentations.crop=0.1"], "crop and split_up_to would take cells of a particle and leave its track"),
        (["objective={name: anomclr}"], "has tracks: the anomalies of objective anomclr would take cells"),
        (["objective={name: mpm}"], "has tracks, which tell of the hidden cells that objective mpm guesses"),
    ):
        with pytest.raises(InputError, match=message):
            load_card(card_file, [CELLS, *overrides])


def test_live_views_have_no_vertices_and_their_detector_is_found_above_the_card(card_file, monkeypatch):
    monkeypatch.chdir("/")
    live = "views={source: live, live: {detector: my/detector.tcl}}"
    with pytest.raises(InputError, match=r"data.inputs has vertices, which views.source live does not find anew"):
        load_card(card_file, ["data.inputs=[constituents, vertices]", live])
    with pytest.raises(InputError, match=r"data.inputs has cells, which views.source live does not find anew"):
        load_card(card_file, [CELLS, live])
    with pytest.raises(InputError, match=r"my/detector.tcl not found"):
        load_card(card_file, [live])
    detector = card_file.parent / "my/detector.tcl"
    detector.parent.mkdir(parents=True)
    detector.touch()
    found = load_card(card_file, [live])
    assert found.views.live.detector == detector.resolve()
    assert card_from(yaml.safe_load(found.to_yaml()), card_file) == found


@pytest.mark.parametrize("objective", ["supcon", "supervised"])
def test_objectives_that_read_labels_are_refused_where_there_are_none(card_file, objective):
    with pytest.raises(InputError, match=f"objective {objective} reads labels, data.labelled is false"):
        load_card(card_file, [f"objective.name={objective}", "data.labelled=false"])
