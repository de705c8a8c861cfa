"""What describes a release says the same everywhere."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import yaml

import resim

REPOSITORY = Path(__file__).parents[1]
CITATION = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
ZENODO = json.loads((REPOSITORY / ".zenodo.json").read_text())


def test_every_file_says_the_same_version():
    """The version stands in the package alone: it is part of a run's key, which must not change with every commit."""
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert released[0] == (resim.__version__, str(CITATION["date-released"]))
    assert CITATION["version"] == ZENODO["version"] == resim.__version__
    assert f"VERSION={resim.__version__} " in (REPOSITORY / "docs/docker.md").read_text()
    git = ["git", "tag", "--points-at", "HEAD"]
    tags = subprocess.run(git, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
    assert all(name == f"v{resim.__version__}" for name in tags if re.match(r"v\d", name))


def test_citation_and_zenodo_agree_and_have_what_their_schemas_require():
    """Citation File Format 1.2.0; metadata of Zenodo's deposits."""
    assert {"cff-version", "message", "title", "authors", "type"} <= CITATION.keys()
    assert (CITATION["cff-version"], CITATION["type"], ZENODO["upload_type"]) == ("1.2.0", "software", "software")
    people = CITATION["authors"] + [author for work in CITATION["references"] for author in work["authors"]]
    assert all(person.keys() <= {"name", "family-names", "given-names", "orcid", "affiliation"} for person in people)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert ZENODO["title"] == CITATION["title"]
    assert ZENODO["license"] == CITATION["license"] == project["license"]
    assert ZENODO["keywords"] == project["keywords"]
    assert [creator["name"] for creator in ZENODO["creators"]] == [author["name"] for author in CITATION["authors"]]
