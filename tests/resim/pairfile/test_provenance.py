"""Counts of a run add up over chunks and shards."""

from resim.common.row_counts import SourceCounts, ViewCounts
from resim.pairfile.provenance import Provenance, SourceRecord


def provenance(**changes):
    source = SourceRecord(lhe="a.lhe", sha256="ab", events_in_file=10, generator="x")
    fields = {
        "card": {}, "run_key": "k", "seed": 1, "n_events": None, "sources": [source, source], "views": {"a": ViewCounts()},
        "versions": {}, "commit": None, "dirty": None, "created": "", "seconds": 0.0, "workers": 1,
    }  # fmt: skip
    return Provenance.model_validate(fields | changes)


def test_a_chunk_counts_for_its_source():
    chunk = SourceCounts(events=5, partons=4, rejected={"parton_pt_min": 1}, rows=3)
    found = provenance().counting(1, chunk, {"a": ViewCounts(valid=2, lost={"no_jet": 1})}, 1.5)
    assert [source.counts.rows for source in found.sources] == [0, 3]
    assert (found.views["a"].total, found.seconds) == (3, 1.5)


def test_shards_add_up():
    one = provenance().counting(0, SourceCounts(rows=3), {"a": ViewCounts(valid=2, lost={"no_jet": 1})}, 1.0)
    two = provenance().counting(0, SourceCounts(rows=4), {"a": ViewCounts(valid=3, lost={"jet_taken": 1})}, 2.0)
    both = one.joined(two)
    assert both.sources[0].counts.rows == 7
    assert both.views["a"] == ViewCounts(valid=5, lost={"no_jet": 1, "jet_taken": 1})
    assert both.seconds == 3.0
    assert one.sources[0].counts.rows == 3  # unchanged


def test_the_detector_is_named():
    assert provenance().detector == "none"
    assert provenance(card={"detector": {"card": "cms.tcl"}}).detector == "cms.tcl"
