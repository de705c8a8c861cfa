"""What docker/ is built from agrees with requirements.lock and pyproject.toml; docker/test.sh builds and runs it."""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.helpers.programs import ENVIRONMENT, install_stand_in

REPOSITORY = Path(__file__).parents[1]
DOCKER = REPOSITORY / "docker"
EXTRAS = {
    "generate.lock": ["generate", "cluster"],
    "train.lock": ["generate", "cluster", "train", "lora"],
    "build.lock": ["image"],
}


def pins(lock: Path) -> dict[str, tuple[Requirement, frozenset[str]]]:
    """Requirement and hashes of every distribution of a lock, by name."""
    entries = lock.read_text().replace("\\\n", "").splitlines()
    split = (entry.split("--hash=") for entry in entries if entry[0] != "#")
    return {(pin := Requirement(first)).name: (pin, frozenset(map(str.strip, hashes))) for first, *hashes in split}


@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_of_the_image_is_a_part_of_the_lock(lock):
    whole, part = pins(REPOSITORY / "requirements.lock"), pins(DOCKER / lock)
    for name, (pin, hashes) in part.items():
        assert pin.specifier == whole[name][0].specifier, name
        assert hashes == whole[name][1], name


@pytest.mark.parametrize("lock", EXTRAS)
def test_a_lock_of_the_image_has_what_pyproject_asks_for(lock):
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(one for extra in EXTRAS[lock] for one in project["optional-dependencies"][extra]),
    ]
    part = pins(DOCKER / lock)
    torch, _ = pins(REPOSITORY / "requirements-torch.lock").popitem()
    assert torch == "torch"
    for requirement in map(Requirement, wanted):
        if requirement.name != torch:
            (pinned,) = part[requirement.name.lower()][0].specifier
            assert pinned.version in requirement.specifier, requirement


def test_the_generator_knows_nothing_of_torch():
    trainer = {
        "torch",
        "lightning",
        "pytorch-lightning",
        "torchmetrics",
        "transformers",
        "scikit-learn",
        "tensorboard",
    }
    assert not trainer & pins(DOCKER / "generate.lock").keys()
    assert trainer - {"torch"} <= pins(DOCKER / "train.lock").keys()


def test_no_registry_is_named():
    """Where images and packages come from is the builder's choice, but for Debian's image."""
    for path in [*DOCKER.rglob("*"), REPOSITORY / ".dockerignore"]:
        if path.is_file() and path.suffix not in {".lock", ".pyc"}:
            hosts = path.read_text().replace("tcp://scheduler", "").replace("oci-archive://", "")
            assert "://" not in hosts, path
    assert "ARG BASE=debian:bookworm-slim\n" in (DOCKER / "Dockerfile").read_text()


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "hep.Dockerfile"])
def test_what_is_copied_into_an_image_is_not_ignored(dockerfile):
    kept = [line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line[0] == "!"]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DOCKER / dockerfile).read_text(), re.MULTILINE)
    for name in {source for line in copied for source in line.split()} - {"."}:
        assert any(Path(name).match(pattern) for pattern in kept), name


@pytest.fixture
def archives(tmp_path):
    """A folder with the archive of a program whose `configure` writes down its options."""
    source = tmp_path / "program-1.0"
    source.mkdir()
    (source / "configure").write_text('#!/bin/sh\nprintf "%s\\n" "$@" >options\n')
    (source / "configure").chmod(0o755)
    (source / "Makefile").write_text('all:\ninstall:\n\tcp options "$$PREFIX/options"\n')
    with tarfile.open(tmp_path / "program.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    (tmp_path / "prefix/bin").mkdir(parents=True)
    return tmp_path


def run_hep(archives, *arguments):
    environment = {**os.environ, "PREFIX": str(archives / "prefix"), "ARCHIVES": str(archives), "JOBS": "1"}
    return subprocess.run(
        [DOCKER / "hep.sh", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_a_program_is_built_from_the_archive_that_is_named(archives):
    digest = hashlib.sha256((archives / "program.tar.gz").read_bytes()).hexdigest()
    made = run_hep(archives, "thepeg", "program.tar.gz", digest)
    assert made.returncode == 0, made.stderr
    options = (archives / "prefix/options").read_text().split()
    assert options[0] == f"--prefix={archives / 'prefix'}"
    assert f"--with-lhapdf={archives / 'prefix'}" in options


def test_an_archive_with_another_hash_is_refused(archives):
    made = run_hep(archives, "pdf_set", "program.tar.gz", "0" * 64)
    assert made.returncode != 0
    assert "program.tar.gz: FAILED" in made.stdout
    assert not (archives / "prefix/share").exists()


def test_a_program_without_archive_is_left_out(archives):
    made = run_hep(archives, "herwig", "", "")
    assert (made.returncode, made.stdout) == (0, "herwig: no archive named, left out\n")


def check_programs(folder, **settings):
    """What `hep_check.sh` says of the programs in a folder."""
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = ENVIRONMENT | {"PATH": path, "EVENTS": "2"} | settings
    return subprocess.run(
        [DOCKER / "hep_check.sh"], env=environment, capture_output=True, text=True, check=False, cwd=folder
    )


@pytest.mark.slow
def test_the_programs_of_the_image_are_checked_through_their_adapters(tmp_path):
    """With stand-ins; the image runs the same script with the real programs."""
    install_stand_in(tmp_path / "bin/Herwig", "herwig_stand_in")
    install_stand_in(tmp_path / "bin/DelphesHepMC3", "delphes_stand_in")
    (tmp_path / "bin/VERSION").write_text("3.5.1\n")
    (tmp_path / "cache").mkdir()
    checked = check_programs(
        tmp_path / "bin", STAND_IN_CALLS=str(tmp_path / "calls"), STAND_IN_CACHE=str(tmp_path / "cache")
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "== mg5_aMC: not here, left out" in checked.stdout
    assert checked.stdout.count(": valid") == 2
    assert checked.stdout.endswith("2 of 3 programs checked\n")


def test_an_image_without_programs_is_said(tmp_path):
    checked = check_programs(tmp_path)
    assert checked.returncode == 1
    assert checked.stdout.endswith("none of mg5_aMC, Herwig and DelphesHepMC3 is on PATH\n")
