"""LHE files for another generator."""

from dataclasses import replace

import pytest

from resim.hard_scatter.lhe_reading import Beams, event_blocks, parse_event, survey
from resim.hard_scatter.lhe_writing import write_lhe
from tests.helpers.chain import read_slice

BEAMS = Beams(2212, 2212, 6500.0, 6500.0)


@pytest.mark.parametrize("name", ["qcd_jj", "hbb_j", "top", "tautau", "wqq_z"])
def test_written_events_are_read_back_digit_by_digit(tmp_path, name):
    events, path = read_slice(name, 10), tmp_path / "events.lhe"
    write_lhe(path, BEAMS, events)
    found = survey(path)
    assert (found.n_events, found.beams) == (10, BEAMS)
    assert path.read_text().splitlines()[0].startswith("<LesHouchesEvents version")  # ThePEG looks nowhere else
    for (index, block), event in zip(event_blocks(path), events, strict=True):
        again = parse_event(block, path, index)
        assert again.particles == event.particles
        assert again.eventinfo == replace(event.eventinfo, weight=1.0, pid=1)
