"""What a file says of the code that made it."""

import subprocess
from datetime import datetime, timedelta

import numpy as np
import pytest

import resim
from resim.common import versions as module
from resim.common.versions import git_state, identifying_versions, resim_version, utc_now, versions


def test_versions_name_what_is_installed():
    found = versions()
    assert found["resim"] == resim.__version__
    assert found["numpy"] == np.__version__
    assert found["pythia8mc"] == "8.317.2"


def test_a_package_that_is_missing_is_left_out(monkeypatch):
    monkeypatch.setattr(module, "GENERATOR_PACKAGES", ("numpy", "no-such-distribution"))
    assert set(versions()) == {"resim", "python", "numpy"}


@pytest.mark.parametrize(
    ("installed", "release"),
    [("0.2.0", "0.2.0"), ("0.2.1.dev7+g1a2b3c4.d20261127", "0.2.1.dev"), ("0.2.1.dev0", "0.2.1.dev")],
)
def test_what_is_made_at_two_commits_between_two_releases_has_one_identity(installed, release, monkeypatch):
    monkeypatch.setattr(module, "version", lambda _: installed)
    assert versions()["resim"] == resim_version() == installed
    assert identifying_versions() == versions() | {"resim": release}


def test_a_package_that_is_only_on_the_path_has_no_version(monkeypatch):
    monkeypatch.setattr(module, "DISTRIBUTION", "no-such-distribution")
    assert resim_version() == "0+unknown"


def test_the_state_of_a_checkout(tmp_path, monkeypatch):
    package = tmp_path / "checkout/resim/common"
    package.mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(package / "versions.py"))
    assert git_state() == (None, None)

    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        command = ["git", "-C", str(tmp_path / "checkout"), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    file = package / "versions.py"
    file.write_text("a")
    git("add", ".")
    git("commit", "-qm", "first")
    assert git_state() == (git("rev-parse", "HEAD"), False)
    file.write_text("b")
    assert git_state() == (git("rev-parse", "HEAD"), True)


def test_the_time_is_utc_to_the_second():
    now = datetime.fromisoformat(utc_now())
    assert now.utcoffset() == timedelta(0)
    assert now.microsecond == 0


@pytest.mark.parametrize(("built_from", "state"), [("abc", ("abc", False)), ("abc-dirty", ("abc", True))])
def test_an_image_says_the_commit_it_was_built_from(built_from, state, monkeypatch):
    monkeypatch.setenv("RESIM_COMMIT", built_from)
    assert git_state() == state
