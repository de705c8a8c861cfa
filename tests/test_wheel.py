"""The distribution works where there is no checkout, and generation needs no torch."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel, unpacked as pip does it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


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
    resim("generate", "mine/cards/generate/demo.yaml", "-o", "pairs.h5", "-n", "8", "--quiet")  # its inputs ship, too
    assert "valid" in resim("validate", "pairs.h5")
