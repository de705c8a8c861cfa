"""Promises of the repository as a whole."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.helpers.tree import tree_page

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_quickstart_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["quickstart.py", str(tmp_path)])
    runpy.run_path(str(REPOSITORY / "examples/quickstart.py"), run_name="__main__")
    assert "pre-trained  AUC" in capsys.readouterr().out


@pytest.mark.parametrize(("package", "forbidden"), [("resim", {"torch", "lightning", "jetssl"}), ("train/jetssl", {"pythia8mc", "fastjet", "pyhepmc", "pylhe", "awkward"})])  # fmt: skip
def test_the_packages_keep_to_their_side(package, forbidden):
    for path in (REPOSITORY / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & forbidden, path


def test_links_of_the_documentation_lead_somewhere():
    for page in [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("cards/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if not target.startswith(("http", "reference/")):  # pages that the site makes: tests/test_docs.py
                assert (page.parent / target).exists(), (page.name, target)


@pytest.mark.slow
def test_commands_of_the_readme_exist():
    text = (REPOSITORY / "README.md").read_text()
    for program, command in set(re.findall(r"`?(?:\.venv/bin/)?(resim|jetssl) ([a-z]+)\b(?=[ `])", text)):
        module = {"resim": "resim.cli", "jetssl": "jetssl.cli"}[program]
        group = {"resim": "cli", "jetssl": "jetssl"}[program]
        code = f"from {module} import {group} as g; assert {command!r} in g.commands, {command!r}"
        if command != "and":
            subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def test_the_lock_holds_exact_versions_only():
    """With hashes; torch, whose build is the machine's choice, stands by itself."""
    lines = [line for line in (REPOSITORY / "requirements.lock").read_text().splitlines() if line[0] != "#"]
    hashes = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    versions = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+( ; [^;]+)? \\")
    assert all(hashes.fullmatch(line) or versions.fullmatch(line) for line in lines)
    assert "pythia8mc==8.317.2 ; python_full_version < '3.14' \\" in lines
    assert (REPOSITORY / "requirements-torch.lock").read_text() == "torch==2.13.0\n"


def test_hdf5_is_opened_in_one_place_for_reading_and_in_one_for_writing():
    for path in [*(REPOSITORY / "resim").rglob("*.py"), *(REPOSITORY / "train/jetssl").rglob("*.py")]:
        if path.name not in ("hdf5_input.py", "hdf5_output.py"):
            assert not re.search(r"h5py\.File\(", path.read_text()), path


def test_no_test_imports_another():
    for path in (REPOSITORY / "tests").rglob("*.py"):
        found = re.findall(r"from (tests\.\S+) import|import (tests\.\S+)", path.read_text())
        assert all("".join(names).startswith("tests.helpers.") for names in found), path


MORE_THAN_A_MODULE = {
    "jetssl/losses/test_lightly.py",  # two losses against one recording
    "resim/run/test_safe_path.py",  # all programs and their children
    "resim/shower/test_rehadronization.py",  # distributions after freezing, by the whole shower room
}


def test_tests_mirror_the_packages():
    """A test has the name and the room of its module; tests of a package or of the repository lie above the rooms."""
    packages = {"resim": REPOSITORY / "resim", "jetssl": REPOSITORY / "train/jetssl"}
    for path in (REPOSITORY / "tests").glob("*/*/**/test_*.py"):
        package, *rooms, name = path.relative_to(REPOSITORY / "tests").parts
        module = packages[package].joinpath(*rooms, name.removeprefix("test_"))
        assert module.is_file() or "/".join((package, *rooms, name)) in MORE_THAN_A_MODULE, path


def test_the_encoder_of_the_documentation_is_that_of_the_example():
    code = (REPOSITORY / "examples/plugin/jetssl_deep_sets/encoder.py").read_text()
    assert f"```python\n{code}```" in (REPOSITORY / "docs/models-of-others.md").read_text()


WITHOUT_A_TEST_OF_THEIR_NAME = {
    **dict.fromkeys(
        (f"resim/cli/{name}.py" for name in ("exchange", "foreign", "inspection", "making", "program", "shipped")),
        "test_cli",
    ),
    **dict.fromkeys(
        (f"jetssl/cli/{name}.py" for name in ("evaluation", "exchange", "program", "studies", "training")), "test_cli"
    ),
    "resim/card/jet_settings.py": "fields of a card: test_generation_card",
    "resim/common/arrays.py": "names of types",
    "resim/common/units.py": "constants; what uses them is tested with numbers",
    "resim/detector/delphes_files.py": "tested with the program that reads and writes them: test_delphes_backend",
    "resim/detector/pileup_subtraction.py": "what it takes away is what was mixed in: test_pileup",
    "resim/formats/columns_card.py": "fields of a card: test_mapping_card",
    "resim/formats/export_jets.py": "what the command `resim export` calls: test_layouts, test_rs3l_pairs",
    "resim/formats/row_views.py": "rows of what `resim import` reads: test_import_jets",
    "resim/run/chunks.py": "data classes",
    "resim/run/workers.py": "starts the server of the processes: test_execution",
    "jetssl/config/domains.py": "fields of a card",
    "jetssl/config/pairs.py": "fields of a card: test_generation",
    "jetssl/config/training.py": "fields of a card: test_card",
    "jetssl/evaluation/fit_pool.py": "runs the fits of a fine-tuning: test_finetune",
    "jetssl/evaluation/fits.py": "one fit of a fine-tuning: test_finetune",
    "jetssl/models/encoder.py": "an interface; every encoder is tested through it",
    "jetssl/training/checkpoint_files.py": "how a training writes its checkpoints: test_pretrain, test_full_disk",
    "jetssl/training/epoch_log.py": "what a training writes after every epoch: test_pretrain",
}


LONGEST_FUNCTION, LONGEST_MODULE = 40, 300
"""Lines, those of docstrings included."""


def test_every_module_has_a_test_of_its_name():
    without = set()
    for name, package in {"resim": REPOSITORY / "resim", "jetssl": REPOSITORY / "train/jetssl"}.items():
        for path in package.rglob("*.py"):
            module = path.relative_to(package)
            test = REPOSITORY / "tests" / name / module.with_name(f"test_{path.name}")
            if path.name not in ("__init__.py", "__main__.py") and not test.is_file():
                without.add(f"{name}/{module}")
    assert without == set(WITHOUT_A_TEST_OF_THEIR_NAME)


def test_functions_and_modules_stay_short():
    long = []
    for package in ("resim", "train"):
        for path in (REPOSITORY / package).rglob("*.py"):
            text = path.read_text()
            functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
            long += [
                f"{path}: {node.name}" for node in functions if node.end_lineno - node.lineno >= LONGEST_FUNCTION
            ]
            long += [str(path)] if text.count("\n") > LONGEST_MODULE else []
    assert not long


@pytest.mark.slow
def test_the_map_of_the_tree_is_true():
    assert (REPOSITORY / "docs/tree.md").read_text() == tree_page(REPOSITORY), "python -m tests.helpers.tree"


PAGES = [REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "README.md", *REPOSITORY.glob("docs/*.md")]
PATH = re.compile(r"`([\w./-]+\.py|(?:benchmarks|cards|docs|examples|resim|tests|train)/[\w./-]*)`")
NAME = re.compile(r"`((?:resim|jetssl)(?:\.\w+){2,})`")


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "tree.md"], ids=lambda page: page.name)
def test_what_the_documentation_names_exists(page):
    """Paths from the root of the repository or of a package, and names that can be imported."""
    roots = [REPOSITORY, REPOSITORY / "resim", REPOSITORY / "train/jetssl"]
    for path in PATH.findall(page.read_text()):
        assert "NAME" in path or any((root / path).exists() for root in roots), path
    for name in NAME.findall(page.read_text()):
        resolve_name(name)
