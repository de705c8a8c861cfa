import json

from resim.common.row_counts import LossReason, SourceCounts, ViewCounts
from tests.helpers.chain import REPOSITORY


def test_counts_add_up():
    one = ViewCounts(valid=3, lost={LossReason.NO_JET: 1}, retries=2)
    two = ViewCounts(valid=1, lost={"no_jet": 2, "jet_taken": 1})
    assert one + two == ViewCounts(valid=4, lost={"no_jet": 3, "jet_taken": 1}, retries=2)
    assert (one + two).total == 8
    sources = SourceCounts(events=5, rejected={LossReason.PARTON_PT_MIN: 2}) + SourceCounts(events=1, rows=1)
    assert json.loads(sources.model_dump_json())["rejected"] == {"parton_pt_min": 2}


def test_every_reason_stands_in_the_documentation():
    page = (REPOSITORY / "docs/format.md").read_text()
    for reason in LossReason:
        assert f"| `{reason}` | {reason.doc} |" in page


def test_a_reason_that_takes_more_than_a_third_is_said():
    assert ViewCounts(valid=20, lost={"no_jet": 10}).vanished == {}
    assert ViewCounts(valid=19, lost={"no_jet": 11}).vanished == {LossReason.NO_JET: 11}
    assert all(reason.cause for reason in (LossReason.NO_JET, LossReason.DECAY_CHANNEL))
