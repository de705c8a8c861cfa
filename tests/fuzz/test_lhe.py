"""Mutants of LHE files: sound events, or one line."""

import gzip
from pathlib import Path

import pytest

from resim.hard_scatter.lhe_header import read_header
from resim.hard_scatter.lhe_reading import event_blocks, parse_event, survey
from tests.helpers.chain import FAULTS, HARD_SCATTERS
from tests.helpers.mutants import Kind

pytestmark = pytest.mark.mutants


def all_events(path: Path) -> None:
    """What a run does with a file before its first shower."""
    found = survey(path, skip_bad=True)
    assert found.n_events >= 1
    events = [parse_event(block, path, index) for index, block in event_blocks(path, None, found.bad_events)]
    assert len(events) == found.n_events - len(found.bad_events)


LHE = Kind(
    "lhe",
    ".lhe",
    (survey, all_events, lambda path: read_header(path).new_particles),
    (b"<event>", b"</event>", b"<init>", b"</init>", b"<!--", b"-->", b"</LesHouchesEvents>", b"<slha>", b"<rwgt>"),
)
PACKED = Kind("packed lhe", ".lhe.gz", (survey,))


def samples() -> list[bytes]:
    """Two events of every shipped sample, and the small files that were once read wrongly."""
    cut = [
        b"</event>".join(gzip.decompress(path.read_bytes()).split(b"</event>")[:2])
        + b"</event>\n</LesHouchesEvents>\n"
        for path in sorted(HARD_SCATTERS.glob("*.lhe.gz"))
    ]
    short = [text[text.index(b"<init>") - 200 :] for text in cut]
    heads = [b"<LesHouchesEvents version='3.0'>\n<header>\n" + text[text.find(b"<init>") :] for text in short]
    plain = [text.replace(b"<header>\n", b"") for text in heads]
    return [*plain, *(path.read_bytes()[:20_000] for path in sorted(FAULTS.glob("*.lhe")))]


def test_lhe(tmp_path):
    accepted, refusals = LHE.try_all(samples(), tmp_path)
    assert accepted
    assert refusals


def test_packed_lhe(tmp_path):
    packed = [gzip.compress(text, mtime=0) for text in samples()[:3]]
    accepted, refusals = PACKED.try_all(packed, tmp_path)
    assert accepted + refusals
    assert refusals
