"""Benchmarks import what is there: nothing else runs them between two looks at the speed."""

import runpy
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_imports(script, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    assert runpy.run_path(str(script))["__doc__"]
