"""What describes a release says the same everywhere, and the version of everything between releases comes from git."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from hatchling.metadata.core import ProjectMetadata
from hatchling.plugin.manager import PluginManager

REPOSITORY = Path(__file__).parents[1]
CITATION = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
ZENODO = json.loads((REPOSITORY / ".zenodo.json").read_text())
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
RELEASED = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
LAST = RELEASED[0][0]
NEXT = re.sub(r"\d+$", lambda patch: str(int(patch[0]) + 1), LAST)


def test_every_file_says_the_same_version():
    assert RELEASED[0] == (CITATION["version"], str(CITATION["date-released"]))
    assert ZENODO["version"] == LAST
    assert PROJECT["tool"]["hatch"]["version"]["raw-options"]["fallback_version"] == f"{NEXT}.dev0"
    assert f"VERSION={LAST} " in (REPOSITORY / "docs/docker.md").read_text()
    git = ["git", "tag", "--points-at", "HEAD"]
    tags = subprocess.run(git, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
    assert all(name == f"v{LAST}" for name in tags if re.match(r"v\d", name))


def git(folder, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def version_of(folder):
    return ProjectMetadata(str(folder), PluginManager()).version


@pytest.fixture
def checkout(tmp_path):
    """Two commits of a project with this pyproject.toml, and no tag."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    for message in ("first", "second"):
        git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return folder


def commit_of(folder):
    return f"g{git(folder, 'rev-parse', '--short', 'HEAD')}"


def test_the_version_of_a_checkout_comes_from_its_tags(checkout):
    assert version_of(checkout).startswith(f"{NEXT}.dev2+{commit_of(checkout)[:8]}")
    git(checkout, "tag", "v3.0.0")
    git(checkout, "tag", "nightly")
    assert version_of(checkout) == "3.0.0"
    git(checkout, "commit", "-q", "--allow-empty", "-m", "third")
    assert version_of(checkout).startswith(f"3.0.1.dev1+{commit_of(checkout)[:8]}")


def test_the_version_of_a_clone_without_history_has_the_commit(checkout, tmp_path):
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", "shallow")
    with pytest.warns(UserWarning, match="is shallow"):
        assert version_of(tmp_path / "shallow").startswith(f"{NEXT}.dev1+{commit_of(checkout)[:8]}")


def test_the_version_without_git_is_the_next_release_or_what_is_given(checkout, tmp_path, monkeypatch):
    """A zip of the repository, an image (docker/Dockerfile), an sdist, each inside of another checkout."""
    download = checkout / "download"
    download.mkdir()
    shutil.copy(REPOSITORY / "pyproject.toml", download)
    git(checkout, "tag", "v3.0.0")
    assert version_of(download) == f"{NEXT}.dev0"
    monkeypatch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION", "3.1.4")
    assert version_of(download) == "3.1.4"
    monkeypatch.setenv("SETUPTOOLS_SCM_PRETEND_VERSION", "")
    (download / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: resim-jets\nVersion: 2.7.1\n")
    assert version_of(download) == "2.7.1"


@pytest.mark.parametrize(("tag", "status"), [(f"v{LAST}", 0), (f"v{NEXT}", 1), ("v0.1.0", 1)])
def test_a_tag_that_the_changelog_does_not_end_with_is_not_released(tag, status):
    steps = yaml.safe_load((REPOSITORY / ".github/workflows/release.yml").read_text())["jobs"]["release"]["steps"]
    (check,) = (step["run"] for step in steps if step.get("name") == "the changelog has the tag")
    environment = os.environ | {"GITHUB_REF_NAME": tag}
    done = subprocess.run(["bash", "-e", "-c", check], cwd=REPOSITORY, env=environment, check=False)
    assert done.returncode == status


def test_citation_and_zenodo_agree_and_have_what_their_schemas_require():
    """Citation File Format 1.2.0; metadata of Zenodo's deposits."""
    assert {"cff-version", "message", "title", "authors", "type"} <= CITATION.keys()
    assert (CITATION["cff-version"], CITATION["type"], ZENODO["upload_type"]) == ("1.2.0", "software", "software")
    people = CITATION["authors"] + [author for work in CITATION["references"] for author in work["authors"]]
    assert all(person.keys() <= {"name", "family-names", "given-names", "orcid", "affiliation"} for person in people)
    project = PROJECT["project"]
    assert ZENODO["title"] == CITATION["title"]
    assert ZENODO["license"] == CITATION["license"] == project["license"]
    assert ZENODO["keywords"] == project["keywords"]
    assert [creator["name"] for creator in ZENODO["creators"]] == [author["name"] for author in CITATION["authors"]]
