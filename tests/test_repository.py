"""Promises of the repository as a whole."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


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
            if not target.startswith("http"):
                assert (page.parent / target).exists(), (page.name, target)


def test_commands_of_the_readme_exist():
    text = (REPOSITORY / "README.md").read_text()
    for program, command in set(re.findall(r"`?(?:\.venv/bin/)?(resim|jetssl) ([a-z]+)\b(?=[ `])", text)):
        module = {"resim": "resim.cli", "jetssl": "jetssl.cli"}[program]
        group = {"resim": "cli", "jetssl": "jetssl"}[program]
        code = f"from {module} import {group} as g; assert {command!r} in g.commands, {command!r}"
        if command != "and":
            subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def test_the_lock_holds_exact_versions_only():
    lines = (REPOSITORY / "requirements.lock").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    assert {"torch==2.13.0", "pythia8mc==8.317.2"} <= set(lines)
