"""Progress in lines, as where stderr is no terminal."""

import logging

import pytest

from resim.common import progress
from resim.common.progress import ProgressReport


@pytest.fixture
def clock(monkeypatch):
    times = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: times[0])
    return times


def test_a_line_now_and_then_and_one_at_the_end(clock, caplog):
    caplog.set_level(logging.INFO)
    with ProgressReport("work", 10, "events") as report:
        for seconds in (5, 11, 12, 20):
            clock[0] = 100 + seconds
            report.advance(2)
        clock[0] = 130
        report.advance(2)
    assert [record.message for record in caplog.records] == [
        "work: 4/10 events, 0.4 events/s, 11 s elapsed, ETA 16 s",
        "work: 10/10 events, 0.3 events/s, 30 s elapsed",
    ]


def test_what_was_there_before_does_not_count_for_the_rate(clock, caplog):
    caplog.set_level(logging.INFO)
    with ProgressReport("work", 10, "events") as report:
        report.advance(6, skipped=True)
        clock[0] = 104
        report.advance(4)
    assert caplog.records[-1].message == "work: 10/10 events, 1.0 events/s, 4 s elapsed"


def test_quiet_says_nothing(clock, caplog, capsys):
    caplog.set_level(logging.INFO)
    with ProgressReport("work", 1, "events", quiet=True) as report:
        clock[0] = 200
        report.advance(1)
    assert not caplog.records
    assert capsys.readouterr() == ("", "")
