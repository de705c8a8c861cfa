"""Which partons become rows, and what is counted."""

from resim.card.generation_card import Selection
from resim.hard_scatter.lhe_reading import event_texts
from resim.hard_scatter.rows import Wanted, select_rows
from tests.helpers.chain import HARD_SCATTERS

QCD = HARD_SCATTERS / "qcd_jj.lhe.gz"
LABELS = {21: "g"} | dict.fromkeys(range(1, 5), "q")


def rows(selection, labels=LABELS, n=30):
    return select_rows(event_texts(QCD, n), QCD, "ab", Wanted(labels, selection))


def test_every_parton_is_a_row_or_counted_as_rejected():
    found = rows(Selection(parton_pt_min=320, parton_abs_eta_max=2.0))
    assert found.counts.events == 30
    assert found.counts.rows == len(found.partons) == len(found.scatter_of_row) > 5
    assert found.counts.partons == found.counts.rows + sum(found.counts.rejected.values())
    assert set(found.counts.rejected) <= {"parton_pt_min", "parton_abs_eta_max"}
    assert all(parton.pt >= 320 and abs(parton.eta) <= 2 for parton in found.partons)


def test_rows_know_their_hard_scatter():
    found = rows(Selection(parton_pt_min=320))
    for parton, place in zip(found.partons, found.scatter_of_row, strict=True):
        scatter = found.scatters[place]
        assert scatter.sha256 == "ab"
        assert parton in scatter.partons
        assert any((p.px, p.py) == (parton.px, parton.py) for p in scatter.event.particles)
    assert [scatter.index for scatter in found.scatters] == sorted({scatter.index for scatter in found.scatters})


def test_partons_beside_a_row_compete_for_its_jets():
    found = rows(Selection(parton_abs_eta_max=1.0))
    of_rival = {int(place) for place in found.scatter_of_rival}
    assert of_rival
    assert of_rival <= {int(place) for place in found.scatter_of_row}
    assert all(abs(rival.eta) > 1 for rival in found.rivals)
    assert len(found.candidates) == len(found.scatter_of_candidate) == len(found.partons) + len(found.rivals)


def test_events_without_a_wanted_parton_give_nothing():
    found = rows(Selection(), {25: "h"})
    assert (found.scatters, found.partons, found.counts.partons) == ([], [], 0)
