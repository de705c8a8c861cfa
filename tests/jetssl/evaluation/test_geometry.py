import json

import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.evaluation import embedding_cache
from jetssl.evaluation.geometry import FILES, shared_stages
from jetssl.evaluation.results import read_distributions, read_results
from resim.card.view_plan import ViewRecord
from resim.pairfile.mock import write_mock


def call(*words):
    return CliRunner().invoke(jetssl, ["geometry", *map(str, words), "--quiet"])


@pytest.mark.slow
def test_end_to_end_twice_the_same(finished_run, mock_file, tmp_path):
    words = [finished_run.path, mock_file, "-o", tmp_path / "out", "--view", "nominal", "--view", "herwig"]
    one = call(*words, "--json")
    assert one.exit_code == 0, one.exception
    records = json.loads(one.stdout)
    content = (tmp_path / "out/results.json").read_text()
    assert records == json.loads(content)
    metrics = {record["metric"] for record in records}
    assert {"cosine_positive", "pair_auc_in_bin", "alignment", "uniformity", "effective_rank"} < metrics
    assert {f"cosine_turned_by_{degrees}" for degrees in range(30, 360, 30)} < metrics
    assert {(record["view"], record["other_view"]) for record in records} == {
        ("nominal", "herwig"),
        ("nominal", None),
        ("herwig", None),
    }
    assert read_results(tmp_path / "out/results.json")[0].replicas is not None
    assert len(read_distributions(tmp_path / "out/distributions.json")) == 3
    assert "holds results already" in str(call(*words).exception)
    again = call(*words, "--force")
    assert "Similarity of two views of a row" in again.output
    assert (tmp_path / "out/results.json").read_text() == content
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(FILES)


@pytest.mark.slow
def test_a_layer_of_the_projector(finished_run, mock_file, tmp_path, monkeypatch):
    words = [finished_run.path, mock_file, "--view", "nominal", "--view", "herwig", "--rows", "30"]
    encoder = call(*words, "-o", tmp_path / "encoder")
    assert encoder.exit_code == 0, encoder.exception
    monkeypatch.setattr(embedding_cache, "embed", None)  # the views are embedded once
    projected = call(*words, "-o", tmp_path / "projected", "--layer", "projector.1")
    assert projected.exit_code == 0, projected.exception
    assert "on projector.1" in projected.output
    one, other = (read_results(tmp_path / name / "results.json") for name in ("encoder", "projected"))
    assert {record.layer for record in one} == {"encoder"}
    assert {record.layer for record in other} == {"projector.1"}
    assert "--layer projector.1" in other[0].command
    turned = [record.metric == "cosine_turned_by_90" for record in one].index(True)
    assert other[turned].value != pytest.approx(one[turned].value)


def test_shared_stages():
    views = [
        ViewRecord("a", None, None, {}),
        ViewRecord("b", "a", "hard_scatter", {}),
        ViewRecord("c", "a", "parton_shower", {}),
        ViewRecord("d", "c", "hadronization", {}),
    ]
    assert shared_stages(views, "a", "b") == "hard_scatter"
    assert shared_stages(views, "a", "d") == "parton_shower"
    assert shared_stages(views, "d", "c") == "hadronization"
    assert shared_stages(views, "b", "d") == "hard_scatter"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{tmp} {mock}", "not a run"),
        ("{run} {tmp}/none.h5", "no such pair file"),
        ("{run} {mock} --view vincia --view seed", "--view 'vincia' is not among the views of the file: nominal"),
        ("{run} {mock} --view seed", "a geometry of pairs needs two views, there is seed"),
        ("{run} {alone}", "a geometry of pairs needs two views, there is nominal"),
        ("{run} {small}", "rows with a jet in all of nominal, seed, want at least 20"),
        ("{run} {mock} --layer projector.3", "--layer projector.3: the projector has 2 linear maps"),
        ("{run} {mock} -o {run}", "which this command did not write"),
        ("{run} {mock} -o {mock}", "is a file, want a folder"),
    ],
)
def test_bad_input_is_one_line(arguments, message, finished_run, mock_file, tmp_path):
    places = {
        "tmp": tmp_path,
        "run": finished_run.path,
        "mock": mock_file,
        "small": write_mock(tmp_path / "small.h5", 40),
        "alone": write_mock(tmp_path / "alone.h5", 60, ("nominal",)),
    }
    words = arguments.format(**places).split()
    failed = call(*words, *([] if "-o" in words else ["-o", tmp_path / "new"]))
    assert message in str(failed.exception)
    assert "\n" not in str(failed.exception)
    assert not (tmp_path / "new").exists()
