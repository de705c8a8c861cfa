import shutil

import h5py
import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.weak import load_weak_card
from jetssl.evaluation.results import Origin, read_results
from jetssl.weak.program import _claim, study_weak_supervision
from jetssl.weak.study import Study
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY

pytestmark = pytest.mark.slow

TRAINING = """
data: {files: [%s], batch_size: 16}
encoder: {width: 16, layers: 1, heads: 2}
projector: {hidden: 16, output: 8}
training: {epochs: 1, threads: 1}
"""
CARD = {
    "domains": {
        "simulation": {"view": "nominal", "share": [0, 0.6]},
        "data": {"view": "herwig", "labelled": False, "share": [0.4, 1]},
    },
    "signal": ["two_prong"],
    "background": ["one_prong"],
    "features": "relative",
    "pretrainings": {
        "vicreg": {"card": "training.yaml", "domain": "data", "overrides": ["objective.name=vicreg", "views.source=augment", "views.pairs=[[herwig, herwig]]"]},
        "pairs": {"card": "training.yaml", "domain": "simulation", "overrides": ["views.pairs=[[nominal, seed]]"]},
    },
    "pretraining_seeds": 1,
    "draws": 2,
    "steps": 2,
    "student_steps": 10,
    "adaptation": {"pretrainings": ["vicreg", "pairs"]},
    "sample_size": {"pretrainings": ["pairs"], "labels": [8, "all"]},
    "teaching": {"pretraining": "vicreg", "methods": ["hard", "soft", "confident", "gce", "forward", "co_teaching", "self_training"], "rounds": 2},
    "noise": {"pretraining": "vicreg", "methods": ["plain", "forward", "co_teaching"], "symmetric": [0.2], "class_dependent": [[0.1, 0.3]]},
    "mixtures": {"pretraining": "vicreg", "fractions": [[0.8, 0.3]]},
}  # fmt: skip


def written(folder, file, **changes):
    """A card in a folder, about a pair file."""
    folder.mkdir(exist_ok=True)
    (folder / "training.yaml").write_text(TRAINING % file)
    card = CARD | changes
    domains = {name: {"files": [str(file)]} | one for name, one in card["domains"].items()}
    (folder / "card.yaml").write_text(yaml.safe_dump(card | {"domains": domains}, sort_keys=False))
    return folder / "card.yaml"


@pytest.fixture(scope="session")
def study(tmp_path_factory, mock_file):
    """A folder with a finished study, and its records."""
    folder = tmp_path_factory.mktemp("study")
    card = written(folder, mock_file)
    return folder, study_weak_supervision(card, folder / "out", jobs=1, quiet=True)


def test_every_arm_has_its_records(study):
    folder, results = study
    assert read_results(folder / "out/results.json") == results
    runs = {(r.run, r.noise) for r in results if r.metric == "auc"}
    assert {
        (name, None) for name in ("vicreg", "pairs", "simulation_only", "oracle", "supervised", "teacher")
    } <= runs
    assert {(name, None) for name in CARD["teaching"]["methods"]} <= runs
    assert {(name, "symmetric 0.2") for name in CARD["noise"]["methods"]} <= runs
    assert {("cwola", "signal fractions 0.8, 0.3"), ("labels", "signal fractions 0.8, 0.3")} <= runs
    assert {"proxy_a_distance", "wasserstein_mass", "gap_closed"} <= {r.metric for r in results}
    assert all(np.isfinite([r.value, r.error]).all() for r in results if r.metric != "gap_closed")
    tested = {r.view for r in results if r.metric == "gap_closed"}
    assert tested == {"herwig"}


def test_differences_are_those_of_the_values(study):
    values = {(r.run, r.noise, r.n_labels, r.view, r.metric): r.value for r in study[1]}
    for record in study[1]:
        if (
            record.metric == "auc_difference"
            and record.noise is None
            and record.reference in ("supervised", "simulation_only")
        ):
            here = (record.noise, record.n_labels, record.view, "auc")
            expected = values[record.run, *here] - values[record.reference, *here]
            assert record.value == pytest.approx(expected)


def test_answers_are_sentences_with_numbers(study):
    text = (study[0] / "out/answers.txt").read_text()
    for start in ("Size of the shift between nominal and herwig", "Domain adaptation, all", "Pre-trained by vicreg", "Sample size", "Students on data", "Label noise, symmetric 0.2", "Mixed samples"):  # fmt: skip
        assert start in text
    assert all(line.endswith(".") for line in text.splitlines())


def test_nothing_is_made_twice_and_a_lost_part_is_made_again(study, monkeypatch):
    folder, results = study
    times = {path: path.stat().st_mtime_ns for path in (folder / "out").rglob("*.ckpt")}
    (folder / "out/records/noise.json").unlink()
    lost = next((folder / "out/fits").rglob("scores.npy"))
    lost.unlink()
    (folder / "out/records/adaptation.json").unlink()
    (folder / "out/records/sample_size.json").unlink()
    again = study_weak_supervision(folder / "card.yaml", folder / "out", jobs=1, quiet=True)
    assert again == results
    assert all(p.stat().st_mtime_ns == time for p, time in times.items() if p.parents[1] != lost.parent)


def test_labels_of_data_change_no_bit_of_what_is_trained(study, mock_file, tmp_path):
    """Not of encoders, fine-tunings, or what students say of each jet; only of the oracle and of the evaluation."""
    folder, results = study
    shuffled = tmp_path / "shuffled.h5"
    shutil.copy(mock_file, shuffled)
    parts = {"adaptation": {"pretrainings": ["vicreg"]}, "noise": None, "mixtures": None, "sample_size": None}
    card = written(tmp_path / "study", mock_file, **parts, pretraining_seeds=1)
    other = yaml.safe_load(card.read_text())
    with h5py.File(shuffled, "a") as pairs:
        labels = pairs["hard_scatter/label"][:]
        pairs["hard_scatter/label"][:] = np.random.default_rng(5).permutation(labels)
    other["domains"]["data"]["files"] = [str(shuffled)]
    card.write_text(yaml.safe_dump(other))
    found = study_weak_supervision(card, tmp_path / "out", jobs=1, quiet=True)
    for name in ("pretrainings/vicreg_0", "fits/vicreg_0_simulation_data/full_all_0", "fits/pairs_0_simulation_data/scratch_all_1"):  # fmt: skip
        one, two = (
            torch.load(root / name / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
            for root in (folder / "out", tmp_path / "out")
        )
        assert all(torch.equal(value, two[key]) for key, value in one.items()), name
    aucs = [{r.run: r.value for r in rs if r.metric == "auc" and r.view == "herwig"} for rs in (results, found)]
    assert aucs[0]["teacher"] != aucs[1]["teacher"]  # judged by other labels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": {"pretraining": "vicreg", "methods": ["gce"], "symmetric": [0.5]}}, "noise.symmetric.0: 0.5: .*less than 0.5"),
        ({"noise": {"pretraining": "vicreg", "methods": ["gce"], "class_dependent": [[0.1, 0.7]]}}, "less than 0.5"),
        ({"noise": {"pretraining": "none", "methods": ["gce"]}}, "no pre-training 'none'; there are vicreg, pairs"),
        ({"teaching": {"pretraining": "vicreg", "methods": ["forward"], "transition": [[0.9, 0.2], [0.1, 0.9]]}}, r"transition matrix, row 0: \[0.9, 0.2\] is no probability"),
        ({"domains": {"simulation": {"view": "nominal"}, "data": {"view": "herwig"}}}, "data that with `labelled: false`"),
        ({"domains": {"simulation": {"view": "nominal", "share": [0.5, 0.5]}, "data": {"view": "herwig", "labelled": False}}}, "domain 'simulation': 0 jets of view 'nominal'"),
        ({"features": "everything"}, "features: 'everything': .*'relative'"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(mock_file, tmp_path, changes, message):
    card = written(tmp_path / "study", mock_file, **changes)
    with pytest.raises(InputError, match=message) as caught:
        study_weak_supervision(card, tmp_path / "out", jobs=1, quiet=True)
    assert "\n" not in str(caught.value)


def test_another_study_in_the_folder(study, mock_file, tmp_path):
    card = written(tmp_path / "study", mock_file, seed=2)
    with pytest.raises(InputError, match="holds the study of another card"):
        study_weak_supervision(card, study[0] / "out", jobs=1, quiet=True)
    with pytest.raises(InputError, match="exists and holds no study"):
        study_weak_supervision(card, tmp_path / "study", jobs=1, quiet=True)


def test_command_line(study):
    folder, _ = study
    done = CliRunner().invoke(jetssl, ["wsl", str(folder / "card.yaml"), "-o", str(folder / "out"), "--quiet"])
    assert done.exit_code == 0, done.output
    assert done.stdout == (folder / "out/answers.txt").read_text()


def test_a_study_goes_on_with_another_scheduler(tmp_path):
    card = load_weak_card(REPOSITORY / "cards/wsl/vicreg_small.yaml")
    elsewhere = card.pairs.model_copy(update={"scheduler": "tcp://head:8786"})
    for one in (card, card.model_copy(update={"pairs": elsewhere})):
        _claim(Study(one, tmp_path / "study", Origin(1, "jetssl wsl")))
    other = card.pairs.model_copy(update={"seed": 7})
    with pytest.raises(InputError, match="another card"):
        _claim(Study(card.model_copy(update={"pairs": other}), tmp_path / "study", Origin(1, "jetssl wsl")))
