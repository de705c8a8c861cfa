import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.card import load_card
from jetssl.config.evaluation import EvaluateCard, FineTuneCard
from jetssl.evaluation import embedding_cache, evaluate
from jetssl.evaluation.finetune import FineTuning, finetune
from jetssl.evaluation.results import read_distributions, read_results
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from tests.helpers.toys import CARD, CLASSES


@pytest.fixture(scope="module")
def runs(finished_run, mock_file, tmp_path_factory):
    """Fits of two modes, a supervised run with other features, and a pre-trained one."""
    folder = tmp_path_factory.mktemp("runs")
    finetune(
        FineTuning(
            run=finished_run.path,
            output=folder / "fits",
            card=FineTuneCard(
                classes="two_prong,one_prong", mode=("frozen", "scratch"), labels=(20,), seeds=2, steps=2
            ),
            jobs=1,
        ),
        quiet=True,
    )
    (folder / "card.yaml").write_text(CARD.format(file=mock_file))
    for name, overrides in (("supervised", []), ("kin", ["data.features=kin"])):
        card = load_card(folder / "card.yaml", ["objective.name=supervised", "training.epochs=1", *overrides])
        pretrain(card, RunFolder(folder / name), quiet=True)
    (folder / "other").mkdir()
    (folder / "other/letter.txt").write_text("dear")
    return folder


def call(*words):
    return CliRunner().invoke(jetssl, ["evaluate", *map(str, words), "--quiet"])


@pytest.mark.slow
def test_end_to_end_twice_the_same(runs, tmp_path):
    words = [runs / "fits/frozen_20", runs / "fits/scratch_20_0", "--view", "herwig"]
    one = call(*words, "-o", tmp_path / "out", "--json")
    assert one.exit_code == 0, one.exception
    records = json.loads(one.stdout)
    assert records == json.loads((tmp_path / "out/results.json").read_text())
    by_key = {(r["run"], r["metric"], r["other_view"], r["jet_class"]): r for r in records}
    assert by_key["frozen_20", "wasserstein_1", "herwig", "two_prong"]["n_draws"] == 2
    scratch = by_key["scratch_20_0", "jensen_shannon", "herwig", "one_prong"]
    assert (scratch["baseline"], scratch["n_labels"], scratch["method"]) == ("scratch", 20, "finetune_scratch")
    ratio = by_key["scratch_20_0", "wasserstein_1_ratio", "herwig", "one_prong"]
    assert ratio["reference"] == "frozen_20"
    assert {r["task"] for r in records} == {"two_prong_vs_one_prong"}
    assert {r["other_view"] for r in records} == {None, "herwig"}
    assert len(read_results(tmp_path / "out/results.json")[0].replicas) == 300
    shapes = read_distributions(tmp_path / "out/distributions.json")
    assert {shape.quantity for shape in shapes} == {"score", "mass", "n_constituents", "n_displaced"}
    content = (tmp_path / "out/results.json").read_bytes()
    assert call(*words, "-o", tmp_path / "out").exception is not None
    assert call(*words, "-o", tmp_path / "out", "--force").exit_code == 0
    assert (tmp_path / "out/results.json").read_bytes() == content


@pytest.mark.slow
def test_an_interrupted_call_is_taken_up(runs, tmp_path, monkeypatch):
    words = [runs / "fits/frozen_20", "-o", tmp_path / "out", "--view", "seed"]
    embed, calls = embedding_cache.embed, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return embed(*arguments)

    kept = [runs / f"fits/frozen_20_{draw}/embeddings" for draw in (0, 1)]
    for folder in kept:
        shutil.rmtree(folder, ignore_errors=True)
    monkeypatch.setattr(embedding_cache, "embed", interrupted)
    assert call(*words).exit_code != 0
    assert len(calls) == 3
    assert not (tmp_path / "out").exists()
    again = call(*words)
    assert again.exit_code == 0, again.exception
    assert len(calls) == 3 + 2  # of 2 fits in 2 views, two were kept
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(evaluate.FILES)
    for folder in kept:
        shutil.rmtree(folder)
    straight = call(*words[:1], "-o", tmp_path / "straight", "--view", "seed")
    assert straight.exit_code == 0
    values = [[r.value for r in read_results(tmp_path / name / "results.json")] for name in ("out", "straight")]
    assert values[0] == values[1]


@pytest.mark.slow
def test_supervised_probe_and_table(runs, finished_run, tmp_path):
    shown = call(runs / "supervised", "-o", tmp_path / "a", *CLASSES)
    assert shown.exit_code == 0, shown.exception
    assert "Distance of scores between views" in shown.output
    record = read_results(tmp_path / "a/results.json")[0]
    assert (record.method, record.n_seeds, record.n_draws, record.all_labels) == ("supervised", 1, 1, True)
    probed = call(finished_run.path, "-o", tmp_path / "b", "--head", "probe", *CLASSES)
    assert probed.exit_code == 0, probed.exception
    assert read_results(tmp_path / "b/results.json")[0].method == "linear_probe"


def test_heads_of_the_same_classes_in_another_order_or_grouping():
    def head(*sides):
        return [SimpleNamespace(task=sides)]

    heads = {"two": head(["h"], ["q+g"]), "three": head(["h"], ["g", "q"])}
    assert evaluate._classes(EvaluateCard(), heads) == (("h",), ("q", "g"))
    with pytest.raises(
        InputError, match=r"two is trained for h against q\+g, w for w against q\+g; say with --signal"
    ):
        evaluate._classes(EvaluateCard(), heads | {"w": head(["w"], ["q+g"])})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{runs}/none", "not a run, and no none_0"),
        ("{pretrained}", "a pre-trained encoder without a head"),
        ("{runs}/supervised {runs}/supervised", "two runs are called 'supervised'"),
        ("{runs}/supervised {runs}/kin", "has data.features kin, {runs}/supervised has relative"),
        ("{runs}/supervised --reference none", "--reference 'none' is not among the runs: supervised"),
        (
            "{runs}/fits/frozen_20 --view vincia",
            "--view 'vincia' is not among the views to compare with nominal: seed",
        ),
        ("{runs}/fits/frozen_20 --signal wqq", "no class 'wqq' in the data"),
        (
            "{runs}/fits/frozen_20 --data {small}",
            "jets of two_prong in all of nominal, seed, want at least 10",
        ),
        ("{runs}/fits/frozen_20 --data {alone}", "the pair files have one common view, nominal"),
        ("{runs}/fits/frozen_20 --data {runs}/none.h5", "no such pair file"),
        (
            "{runs}/fits/frozen_20 {runs}/supervised",
            "supervised: its head (classes one_prong, two_prong) has nothing",
        ),
        ("{runs}/fits/frozen_20 -o {runs}/other", "holds letter.txt, which this command did not write"),
    ],
)
def test_bad_input_is_one_line(arguments, message, runs, finished_run, tmp_path):
    places = {
        "runs": runs,
        "pretrained": finished_run.path,
        "small": write_mock(tmp_path / "small.h5", 50),
        "alone": write_mock(tmp_path / "alone.h5", 60, ("nominal",)),
    }
    words = arguments.format(**places).split()
    failed = call(*words, *([] if "-o" in words else ["-o", tmp_path / "new"]))
    assert message.format(**places) in str(failed.exception)
    assert "\n" not in str(failed.exception)
    assert not (tmp_path / "new").exists()
    assert [path.name for path in Path(runs / "other").iterdir()] == ["letter.txt"]
