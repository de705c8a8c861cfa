"""Mutants of JSON records: records, or one line."""

import pytest

from jetssl.evaluation.results import read_curves, read_distributions, read_results, write_results
from tests.helpers.mutants import Kind
from tests.helpers.records import geometry_records, robustness_records

pytestmark = pytest.mark.mutants
WORDS = (b"schema_version", b"NaN", b"Infinity", b"null", b"[[", b"}}", b'"value":')


def test_results(tmp_path):
    sound = []
    for records in (robustness_records("run"), geometry_records()):
        write_results(tmp_path / "results.json", records)
        sound.append((tmp_path / "results.json").read_bytes())
    kind = Kind("results", ".json", (read_results, read_curves, read_distributions), WORDS)
    accepted, refusals = kind.try_all(sound, tmp_path)
    assert accepted
    assert refusals
