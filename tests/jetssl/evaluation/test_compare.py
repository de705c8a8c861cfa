import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.evaluation import CompareCard
from jetssl.evaluation.compare import Column, compare, named_records
from jetssl.evaluation.results import write_records, write_results
from jetssl.evaluation.rotation import DEGREES
from resim.common.errors import InputError
from tests.helpers.records import SHARED, geometry_records, probe_records, record, roc_curve
from tests.helpers.toys import CARD, CLASSES

AUC_AT_20 = Column("b_vs_q", "nominal", 20, "auc", None, None)


def folder(path, results, curves=()):
    path.mkdir(parents=True)
    if curves:
        write_records(path / "roc.json", curves)
    write_results(path / "results.json", results)
    return path


@pytest.fixture
def two(tmp_path):
    return [
        folder(tmp_path / "one", probe_records(0.8), [roc_curve()]),
        folder(tmp_path / "two", probe_records(0.9, 2)),
    ]


def test_differences_are_paired(two):
    table = compare(two)
    assert list(table.cells) == ["one", "two"]
    assert len(table.columns) == 4
    assert list(table.curves) == ["one"]
    difference = table.differences["two"][AUC_AT_20]
    assert difference.value == pytest.approx(0.1)
    # 0.02 of each is shared by both rows, 0.001 is not.
    assert difference.error == pytest.approx(0.001 * 2**0.5, rel=0.3)
    assert (difference.metric, difference.reference) == ("auc_minus_reference", "one")
    back = compare(two, CompareCard(reference="two", metric=("auc",)))
    assert back.differences["one"][AUC_AT_20].value == pytest.approx(-0.1)
    assert {column.metric for column in back.columns} == {"auc"}
    named = named_records(table)
    assert [result.run for result in named] == ["one"] * 4 + ["two"] * 8


def test_training_seeds_are_one_row(tmp_path):
    for number, value in enumerate((0.7, 0.8, 0.9)):
        folder(tmp_path / f"run_{number}", probe_records(value, number))
    table = compare([tmp_path / "run"])
    result = table.cells["run"][AUC_AT_20]
    assert (result.n_seeds, result.value) == (3, pytest.approx(0.8))
    # Of the mean over seeds 0.1 / sqrt(3), of the jets 0.02.
    assert result.error == pytest.approx(np.hypot(0.1 / 3**0.5, 0.02), rel=0.35)
    assert table.curves == {}


def test_rows_of_one_run(tmp_path):
    fine_tuned = [
        *probe_records(0.8, method="finetune_full"),
        *probe_records(0.7, method="finetune_scratch", baseline="scratch"),
    ]
    probed = [*probe_records(0.8), *probe_records(0.6, baseline="features", encoder=None)]
    evaluated = [*probe_records(0.8, run="x"), *probe_records(0.8, run="y")]
    runs = [folder(tmp_path / name, results) for name, results in (("fits", fine_tuned), ("probed", probed))]
    runs += [folder(tmp_path / "again", probed), folder(tmp_path / "robust", evaluated)]
    rows = list(compare(runs).cells)
    assert rows == ["fits", "fits:finetune_scratch", "probed", "probed:features", "again", "robust:x", "robust:y"]


def test_metrics_by_pattern(tmp_path):
    path = folder(tmp_path / "geo", geometry_records())
    table = compare([path], CompareCard(metric=("cosine_turned_by_*",)))
    assert [column.metric for column in table.columns] == [f"cosine_turned_by_{angle}" for angle in DEGREES]
    assert Column("b", "nominal", 0, "cosine_turned_by_30", None, None).figure == "cosine turned by 30"


def test_a_row_says_which_layer_was_judged(tmp_path):
    inner = [
        *probe_records(0.8, layer="projector.1"),
        *probe_records(0.6, layer="projector.1", baseline="random"),
        *probe_records(0.5, layer="projector.1", baseline="features", encoder=None),
    ]
    rows = list(compare([folder(tmp_path / "run", inner)]).cells)
    assert rows == ["run:projector.1", "run:random:projector.1", "run:features"]


def test_a_limit_has_no_difference(tmp_path, two):
    limit = record("rejection_at_0.5", None, error=None, low=30.0, method="linear_probe", test_set="0123456789ab")
    auc = record("auc", 0.9, method="linear_probe", test_set="0123456789ab")
    table = compare([two[0], folder(tmp_path / "limit", [limit, auc])])
    assert table.differences["limit"] == {}


@pytest.mark.slow
def test_end_to_end_twice_the_same(finished_run, tmp_path):
    for name in ("run_0", "run_1"):
        shutil.copytree(finished_run.path, tmp_path / name)
        words = ["probe", str(tmp_path / name), *CLASSES, "--labels", "20", "--labels", "all"]
        probed = CliRunner().invoke(jetssl, words)
        assert probed.exit_code == 0, probed.exception
    words = ["compare", str(tmp_path / "run_0"), str(tmp_path / "run_1"), "-o", str(tmp_path / "page.html")]
    shown = CliRunner().invoke(jetssl, words)
    assert shown.exit_code == 0, shown.exception
    assert "run_1" in shown.output
    assert "run_0:features" in shown.output
    assert "run_1:features" not in shown.output
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img") == 2 * 2 + 2
    assert "exists already" in str(CliRunner().invoke(jetssl, words).exception)
    one, two = (CliRunner().invoke(jetssl, [*words[:3], "--json"]).stdout for _ in range(2))
    assert one == two
    records = json.loads(one)
    same = [r for r in records if r["run"] == "run_1" and r["metric"] == "auc_minus_reference"]
    assert [(r["value"], r["error"], r["reference"]) for r in same] == [(0.0, 0.0, "run_0")] * 2


@pytest.fixture
def places(tmp_path, two, mock_file):
    empty, old, other, seed, far = (tmp_path / name for name in ("empty", "old", "other", "seed", "far"))
    empty.mkdir()
    folder(old, probe_records(0.8))
    (old / "results.json").write_text(json.dumps([SHARED | {"metric": "auc", "value": 0.5, "error": 0.1}]))
    folder(other, probe_records(0.8, task="w_vs_q"))
    folder(seed, [result.model_copy(update={"seed": 2}) for result in probe_records(0.8)])
    folder(far, probe_records(0.8, test_set="ba9876543210", n_test=10))
    for name, features in (("kin", "kin"), ("relative", "relative")):
        folder(tmp_path / name, probe_records(0.8))
        card = CARD.format(file=mock_file).replace("batch_size: 16", f"batch_size: 16, features: {features}")
        (tmp_path / name / "config.yaml").write_text(card)
    (tmp_path / "letter.html").write_text("dear")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{0}/none", "not a run, and no none_0"),
        ("{0}/empty", "empty: no results.json; run `jetssl probe`, `finetune` or `evaluate` first"),
        ("{0}/one {0}/old", "old/results.json: results of schema 1, this jetssl reads 2; evaluate again"),
        ("{0}/one {0}/other", "other (w_vs_q) and one (b_vs_q) answer no common question"),
        ("{0}/one {0}/seed", "with seed 2, one on 50 (0123456789ab) with seed 1: no pairs"),
        ("{0}/one {0}/far", "far: b_vs_q was judged on 10 jets (set ba9876543210)"),
        ("{0}/relative {0}/kin", "kin reads features kin, {0}/relative reads relative"),
        ("{0}/one {0}/one", "two runs are called 'one'"),
        ("{0}/one {0}/two --reference three", "--reference 'three' is no row of the table; rows are one, two"),
        ("{0}/one --metric f1", "nothing about f1; choose with --metric among auc, rejection_at_0.5"),
        ("{0}/one -o {0}/letter.html", "letter.html: exists already"),
    ],
)
def test_bad_input_is_one_line(arguments, message, places):
    failed = CliRunner().invoke(jetssl, ["compare", *arguments.format(places).split()])
    assert message.format(places) in str(failed.exception)
    assert isinstance(failed.exception, InputError)
    assert "\n" not in str(failed.exception)
    assert (places / "letter.html").read_text() == "dear"


def test_other_features_on_demand(places):
    table = compare([places / "relative", places / "kin"], CompareCard(any_features=True))
    assert list(table.cells) == ["relative", "kin"]
