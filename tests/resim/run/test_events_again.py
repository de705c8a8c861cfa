"""Exported events hold the constituents of the stored jets, bit by bit."""

import numpy as np
import pyhepmc
import pytest

from resim.card.view_plan import GeneratorPlan, ViewPlan
from resim.common.errors import InputError
from resim.pairfile.reader import PairFile
from resim.run.events_again import _needed, write_events
from tests.helpers.chain import run_cli


@pytest.mark.parametrize("view", ["nominal", "rehadron"])
def test_every_constituent_is_a_particle_of_its_event(pairs, tmp_path, view):
    output = tmp_path / "events.hepmc"
    run = run_cli("export", pairs, "--format", "hepmc3", "--view", view, "-o", output, "--quiet")
    assert run.exit_code == 0, run.output
    with pyhepmc.open(str(output)) as stream:
        events = {event.event_number: event for event in stream}
    assert f"{len(events)} events" in run.output
    with PairFile(pairs) as file:
        place = np.stack([file.hard_scatter(name) for name in ("source", "event")], axis=1)
        offsets, pt = file.offsets(view), file.constituents(view, "pt")
        pdg_id = file.constituents(view, "pdg_id")
        rows = np.flatnonzero(file.valid(view))
    assert len(rows) > 5
    for row in rows:
        first = int(np.flatnonzero((place == place[row]).all(1))[0])
        final = [p for p in events[first].particles if p.status == 1]
        there = {(p.pid, np.float32(np.hypot(p.momentum.x, p.momentum.y))) for p in final}
        jet = slice(offsets[row], offsets[row + 1])
        assert set(zip(pdg_id[jet].tolist(), pt[jet], strict=True)) <= there


def test_a_view_that_is_not_there_leaves_no_file(pairs, tmp_path):
    with pytest.raises(InputError, match="has no view 'none', but nominal, seed, rehadron, fsr_up; correct --view"):
        write_events(pairs, tmp_path / "events.hepmc", "none")
    assert not list(tmp_path.iterdir())


def test_views_of_external_generators_are_refused(pairs):
    herwig = ViewPlan("herwig", None, None, "herwig", "herwig", GeneratorPlan("herwig7", ()))
    with pytest.raises(InputError, match="view 'herwig' is of herwig7, only events of Pythia 8 are made again"):
        _needed((herwig,), "herwig", pairs)


def test_labels_mean_nothing_in_events(pairs, tmp_path):
    run = run_cli("export", pairs, "--format", "hepmc3", "--label", "hbb=x", "-o", tmp_path / "events.hepmc")
    assert "hepmc3 holds the events of one view, without labels" in run.output
