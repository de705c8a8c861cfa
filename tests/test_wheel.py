"""The distribution works where there is no checkout, and generation needs no torch."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from resim.pairfile.mock import write_mock

REPOSITORY = Path(__file__).parents[1]
NO_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "lightning"}:
            raise ImportError(f"{name} is of the extra 'train'")
sys.meta_path.insert(0, Refuse())
from resim.cli import main
main()
"""


def install(project: Path, wheels: Path, site_packages: Path) -> Path:
    """Build the wheel of a project, and unpack it as pip does."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site_packages)
    return site_packages


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel alone."""
    folder = tmp_path_factory.mktemp("wheel")
    return install(REPOSITORY, folder, folder / "site-packages")


def test_cards_and_nothing_else_of_the_checkout_is_in_the_wheel(installed):
    tops = {path.name for path in installed.iterdir()}
    assert {"resim", "jetssl"} < tops
    assert all(name.startswith("resim_jets-") for name in tops - {"resim", "jetssl"})
    shipped = {
        str(path.relative_to(installed / "resim/shipped")) for path in (installed / "resim/shipped").rglob("*.*")
    }
    listed = subprocess.run(["git", "ls-files", "cards"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert set(listed.stdout.split()) <= shipped
    assert (installed / "jetssl/report").is_dir()


@pytest.mark.slow
def test_the_main_job_outside_a_checkout_and_without_torch(installed, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(installed)}

    def resim(*arguments: str) -> str:
        command = [sys.executable, "-P", "-c", NO_TORCH, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    resim("cards", "copy", "cards/generate", "-o", "mine")
    resim("generate", "mine/cards/generate/demo.yaml", "-o", "pairs.h5", "-n", "2", "--quiet")  # its inputs ship, too
    assert "valid" in resim("validate", "pairs.h5")


@pytest.mark.slow
def test_a_package_beside_the_wheel_adds_what_cards_name(installed, tmp_path):
    """`examples/plugin` installed next to the wheel, nothing else of a checkout in sight: it is listed, and trains."""
    project = shutil.copytree(REPOSITORY / "examples/plugin", tmp_path / "plugin")
    site_packages = shutil.copytree(installed, tmp_path / "site-packages")
    environment = os.environ | {"PYTHONPATH": str(site_packages)}

    def jetssl(*arguments: str, program: str = "jetssl") -> str:
        command = [sys.executable, "-P", "-c", f"from {program}.cli import main; main()", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    install(project, tmp_path, site_packages)
    assert "deep_sets (jetssl-deep-sets 0.1.0): Deep sets (arXiv:1703.06114)." in jetssl("encoders")
    assert "pions (jetssl-deep-sets 0.1.0): Pions along partons" in jetssl("generators", program="resim")
    assert "lines (jetssl-deep-sets 0.1.0): Text, a line for" in jetssl("readers", program="resim")
    write_mock(tmp_path / "pairs.h5", 300)
    small = ("data.batch_size=16", "training.epochs=1", "encoder.hidden=[8]", "encoder.width=8")
    jetssl("train", "plugin/card.yaml", "data.files=[pairs.h5]", *small, "-o", "run", "--quiet")
    assert json.loads((tmp_path / "run/provenance.json").read_text())["versions"]["jetssl-deep-sets"] == "0.1.0"
