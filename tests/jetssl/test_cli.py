import importlib
import json
import math
import subprocess
import sys

import h5py
import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from resim.common.errors import InputError
from resim.pairfile import schema
from resim.pairfile.mock import write_mock
from tests.helpers.forked import PRELOADED, run_jetssl
from tests.helpers.locks import held_by_another_process
from tests.helpers.programs import ENVIRONMENT
from tests.helpers.toys import CLASSES


@pytest.mark.slow
def test_train_then_probe(card_file, tmp_path):
    output = tmp_path / "run"
    trained = run_jetssl("train", card_file, "training.epochs=1", "-o", output)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.startswith(f"{output}: trained, 1 epochs")
    assert "ETA" in trained.stderr
    assert trained.stderr.count("\n") == 1
    again = CliRunner().invoke(jetssl, ["train", str(card_file), "training.epochs=1", "-o", str(output), "--quiet"])
    assert (again.exit_code, again.stderr) == (0, "")
    assert "already trained" in again.output
    for name in ("config.yaml", "provenance.json", "metrics.csv", "checkpoints/best.ckpt", "checkpoints/last.ckpt"):
        assert (output / name).is_file()
    assert list((output / "tensorboard").glob("events*"))
    assert not list(output.rglob("*.partial"))
    probed = CliRunner().invoke(jetssl, ["probe", str(output), *CLASSES, "--labels", "20", "--json"])
    records = json.loads(probed.stdout)
    assert records == json.loads((output / "results.json").read_text())
    assert {"task", "encoder", "baseline", "n_labels", "metric", "value", "error", "n_test"} <= set(records[0])
    assert {"auc", "rejection_at_0.3", "rejection_at_0.5", "rejection_at_0.7"} <= {r["metric"] for r in records}


@pytest.mark.slow
def test_table(finished_run):
    result = CliRunner().invoke(jetssl, ["probe", str(finished_run.path), *CLASSES, "--labels", "20"])
    assert result.exit_code == 0
    assert "random encoder" in result.output
    assert "two_prong_vs_one_prong" in result.output


def test_a_run_that_another_process_writes_is_not_probed_or_trained(finished_run, card_file):
    arguments = ["probe", str(finished_run.path), *CLASSES], ["train", str(card_file), "-o", str(finished_run.path)]
    with held_by_another_process(finished_run.path):
        for command in arguments:
            result = CliRunner().invoke(jetssl, command)
            assert isinstance(result.exception, InputError)
            assert "is writing it; wait for that" in str(result.exception)


def test_print_config(card_file):
    result = CliRunner().invoke(jetssl, ["train", str(card_file), "training.seed=9", "--print-config"])
    assert result.exit_code == 0
    assert "seed: 9" in result.output


def test_help_imports_nothing_heavy():
    code = "import sys, jetssl.cli; print({'torch', 'lightning', 'matplotlib', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stdout.strip() == "set()"


def test_options_are_frozen():
    options = {name: [p.opts[-1] for p in command.params] for name, command in jetssl.commands.items()}
    assert options == {
        "train": ["card", "overrides", "--output", "--force", "--quiet", "--print-config"],
        "import": [
            *("file", "--from", "--architecture", "--features", "--classes", "--neighbours", "--pair-activation"),
            *("--heads", "--output", "--force"),
        ],
        "probe": [
            *(
                "run",
                "--output",
                "--card",
                "--data",
                "--signal",
                "--background",
                "--classes",
                "--view",
                "--labels",
                "--unweighted",
            ),
            *("--seed", "--baseline", "--embedding", "--method", "--layer", "--json", "--quiet"),
        ],
        "finetune": [
            *("run", "--output", "--card", "--data", "--signal", "--background", "--classes", "--view", "--labels"),
            *(
                "--unweighted",
                "--seed",
                "--mode",
                "--head",
                "--seeds",
                "--steps",
                "--encoder-rate",
                "--layer-decay",
                "--json",
                "--quiet",
            ),
        ],
        "evaluate": [
            *("runs", "--output", "--card", "--data", "--signal", "--background", "--view", "--head", "--logit"),
            *("--reference", "--seed", "--unweighted", "--force", "--json", "--quiet"),
        ],
        "geometry": [
            *("run", "file", "--output", "--card", "--view", "--layer", "--rows", "--seed"),
            *("--force", "--json", "--quiet"),
        ],
        "anomaly": [
            *("run", "--output", "--card", "--data", "--signal", "--background", "--view", "--score", "--baseline"),
            *("--draws", "--match-kinematics", "--unweighted", "--seed", "--force", "--json", "--quiet"),
        ],
        "cwola": [
            *("run", "--output", "--card", "--data", "--signal", "--background", "--view", "--window", "--delta-eta"),
            *("--injected", "--sample", "--efficiency", "--repetitions", "--baseline", "--seed"),
            *("--force", "--json", "--quiet"),
        ],
        "embed": ["run", "file", "--output", "--force", "--quiet"],
        "export": ["run", "--format", "--licence", "--output", "--force"],
        "compare": ["runs", "--output", "--card", "--reference", "--metric", "--any-features", "--force", "--json"],
        "report": ["inputs", "--output", "--force"],
        "study": ["card", "overrides", "--output", "--jobs", "--json", "--quiet"],
        "wsl": ["card", "--output", "--json", "--quiet"],
        "encoders": ["--json"],
        "objectives": ["--json"],
    }


@pytest.fixture
def places(tmp_path, card_file, finished_run, mock_file):
    other = write_mock(tmp_path / "other.h5", 20, ("alpha", "beta"), seed=3)
    old = write_mock(tmp_path / "old.h5", 20)
    with h5py.File(old, "a") as file:
        file.attrs["schema_version"] = 99
    nan = write_mock(tmp_path / "nan.h5", 20, p_valid=1.0)
    with h5py.File(nan, "a") as file:
        file["views/seed/constituents/eta"][int(file[schema.offsets_path("seed")][7])] = math.nan
    (tmp_path / "results_exist.html").write_text("x")
    return {
        "card": card_file,
        "run": finished_run.path,
        "tmp": tmp_path,
        "mock": mock_file,
        "other": other,
        "old": old,
        "nan": nan,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train {tmp}/none.yaml -o {tmp}/new", "none.yaml: cannot be read"),
        ("train {card} encoder.widht=3 -o {tmp}/new", "valid keys here: name, width"),
        ("train {card} data.files=[{tmp}/none.h5] -o {tmp}/new", "none.h5 not found"),
        ("train {card} data.files=[{mock},{other}] -o {tmp}/new", "no common view"),
        ("train {card} data.files=[{old}] -o {tmp}/new", "schema version 99"),
        ("train {card} data.files=[{card}] -o {tmp}/new", "not a readable HDF5 file"),
        ("train {card} data.files=[{nan}] -o {tmp}/new", "nan.h5: views/seed/constituents/eta: not finite in row 7"),
        ("train {card} views.pairs=[[nominal,vincia]] -o {tmp}/new", "views.pairs asks for 'vincia', common to all"),
        ("train {card} data.batch_size=5000 -o {tmp}/new", "data.batch_size is 5000, but the training split has"),
        ("train {card} training.epochs=9 -o {run}", "different card"),
        ("probe {tmp}/new", "not a run"),
        ("probe {run}", "no class left for --background"),
        (
            "probe {run} --signal two_prong --background one_prong --labels 5000",
            "5000 labels need 2500 jets of two_prong",
        ),
        (
            "probe {run} --signal two_prong --background one_prong --labels 7",
            "7 labels are no equal numbers of 2 classes; ask for a multiple of 2",
        ),
        ("probe {run} --data {tmp}/none.h5 --signal two_prong", "no such pair file"),
        ("probe {run} --classes two_prong,one_prong --view vincia", "--view 'vincia' is not among the common views"),
        ("probe {run} --classes two_prong", "one class is nothing to tell apart"),
        ("probe {run} --classes two_prong,one_prong --labels 3", "--labels 3: want a number of at least 4"),
        ("probe {run} --classes two_prong,one_prong --layer projector.3", "the projector has 2 linear maps"),
        ("probe {run} --classes two_prong,one_prong --layer head", "--layer head: want `encoder`, or `projector.1`"),
        ("finetune {tmp}/new -o {tmp}/new", "not a run"),
        ("finetune {run} --classes two_prong+one_prong,two_prong -o {tmp}/new", "'two_prong' occurs twice"),
        ("finetune {run} --classes two_prong,one_prong --labels 5000 -o {tmp}/new", "the training split has"),
        ("train {card} data.files=[] -o {tmp}/new", "data.files: []: want one pair file at least"),
        (
            "import {mock} --from weaver --architecture part --features kin -o {tmp}/new",
            "no state dict of tensors",
        ),
        ("export {run} --format weaver -o {tmp}/new.pt", "a pre-trained encoder without a head"),
        ("embed {tmp}/new {mock} -o {tmp}/new.h5", "not a run"),
        ("embed {run} {tmp}/none.h5 -o {tmp}/new.h5", "no such pair file"),
        ("embed {run} {card} -o {tmp}/new.h5", "not a readable HDF5 file"),
        ("embed {run} {old} -o {tmp}/new.h5", "schema version 99"),
        ("embed {run} {mock} -o {other}", "exists already"),
        ("embed {run} {mock} -o {tmp}/no/new.h5", "the folder"),
        ("report {tmp}/none.h5 -o {tmp}/new.html", "no such pair file"),
        ("report {card} -o {tmp}/new.html", "not a readable HDF5 file"),
        ("report {tmp} -o {tmp}/new.html", "not a run"),
        ("report {run} -o {tmp}/results_exist.html", "exists already"),
    ],
)
def test_bad_input_is_one_line(arguments, message, places, capsys, monkeypatch):
    from jetssl.cli import main

    monkeypatch.setattr(sys, "argv", ["jetssl", *arguments.format(**places).split()])
    results = places["run"] / "results.json"
    before = results.read_text() if results.is_file() else None
    with pytest.raises(SystemExit) as left:
        main()
    shown = capsys.readouterr()
    assert left.value.code == 1
    assert message in shown.err
    assert shown.err.startswith("jetssl: ")
    assert shown.err.count("\n") == 1
    assert shown.out == ""
    assert not (places["tmp"] / "new").exists()
    assert not (places["tmp"] / "new.html").exists()
    assert not list(places["tmp"].glob("new.h5*"))
    assert (results.read_text() if results.is_file() else None) == before


def test_usage_error_is_status_2(card_file):
    result = CliRunner().invoke(jetssl, ["train", str(card_file)])
    assert result.exit_code == 2
    assert "Missing option '-o'" in result.stderr


@pytest.mark.slow
def test_the_server_of_the_tests_imports_what_it_names():
    for name in PRELOADED:
        importlib.import_module(name)
