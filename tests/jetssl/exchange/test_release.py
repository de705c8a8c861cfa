"""A release: what is in the folder, and that others can use it."""

import json
import subprocess
import sys

import pytest
import torch
import yaml
from click.testing import CliRunner
from safetensors.torch import load_file

from jetssl.cli import jetssl
from jetssl.exchange.model_card import IN_ONNX, IN_TORCH
from jetssl.exchange.release import FILES, release
from jetssl.exchange.weaver_import import import_weaver
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.programs import ENVIRONMENT

WITHOUT = "import sys\nfor name in {names}: sys.modules[name] = None\n"
"""As if some packages were not installed."""


def export(*arguments):
    return CliRunner().invoke(jetssl, ["export", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, finished_run):
    folder = tmp_path_factory.mktemp("release") / "encoder"
    assert export(finished_run.path, "-o", folder, "--format", "safetensors").exit_code == 0
    return folder


def test_weights_are_those_of_the_best_checkpoint(folder, finished_run):
    wanted, found = load_encoder(finished_run.best).encoder.state_dict(), load_file(folder / "encoder.safetensors")
    assert found.keys() == wanted.keys()
    assert all(torch.equal(value, found[name]) for name, value in wanted.items())


def test_the_input_is_told(folder, finished_run):
    loaded = load_encoder(finished_run.best)
    told = json.loads((folder / "features.json").read_text())
    assert told["feature_set"] == loaded.card.data.features
    assert told["mean"] == loaded.encoder.mean.tolist()
    assert len(told["names"]) == len(told["spread"])


def test_no_folder_of_this_machine_is_told(folder, finished_run):
    card = yaml.safe_load((folder / "config.yaml").read_text())
    assert card["data"]["files"] == ["pairs.h5"]
    for file in folder.iterdir():
        assert str(finished_run.path.parent).encode() not in file.read_bytes(), file


@pytest.mark.slow
def test_the_program_of_the_model_card_runs_without_the_trainer(folder):
    assert f"```python\n{IN_TORCH}```" in (folder / "README.md").read_text()
    program = (
        WITHOUT.format(names=["lightning", "sklearn", "pythia8mc", "fastjet", "tensorboard", "onnxruntime"])
        + IN_TORCH
    )
    run(program, folder)


@pytest.mark.slow
def test_a_graph_needs_neither_torch_nor_jetssl(finished_run, tmp_path):
    folder = tmp_path / "release"
    assert export(finished_run.path, "-o", folder).exit_code == 0
    assert {file.name for file in folder.iterdir()} == set(FILES)
    assert f"```python\n{IN_ONNX}```" in (folder / "README.md").read_text()
    run(WITHOUT.format(names=["torch", "jetssl", "resim"]) + IN_ONNX, folder)
    again = export(finished_run.path, "-o", folder, "--force", "--format", "safetensors")
    assert again.exit_code == 0
    assert {file.name for file in folder.iterdir()} == set(FILES) - {"encoder.onnx"}  # none that fits other weights


def run(program, folder):
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_weights_of_others_have_a_licence_of_their_own(bench, tmp_path, folder):
    assert (folder / "README.md").read_text().startswith("---\nlicense: bsd-3-clause\n")
    file, run = bench.save(bench.network("particlenet")), RunFolder(tmp_path / "run")
    import_weaver(bench.ask(file, "particlenet"), run)
    with pytest.raises(InputError, match=r"run: its weights are of weaver; say their --licence"):
        export(run.path, "-o", tmp_path / "new", "--format", "safetensors")
    assert not (tmp_path / "new").exists()
    told = export(run.path, "-o", tmp_path / "new", "--format", "safetensors", "--licence", "MIT")
    assert told.exit_code == 0
    assert "license: mit" in (tmp_path / "new/README.md").read_text()


def test_bad_input_is_one_line(finished_run, folder, tmp_path):
    with pytest.raises(InputError, match="not a run"):
        export(tmp_path, "-o", tmp_path / "new")
    with pytest.raises(InputError, match="holds results already"):
        export(finished_run.path, "-o", folder)
    with pytest.raises(InputError, match=r"licence 'free\\nfor all' is no SPDX identifier"):
        release(finished_run.path, tmp_path / "new", onnx=False, licence="free\nfor all")
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"holds thesis\.tex"):
        export(finished_run.path, "-o", tmp_path, "--force")
    assert not (tmp_path / "new").exists()
