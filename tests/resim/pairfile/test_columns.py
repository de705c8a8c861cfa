"""Columns of the hard scatter; those of a view are tested where they come from, in `test_reconstruct_views`."""

import numpy as np

from resim.card.generation_card import Selection
from resim.hard_scatter.lhe_reading import event_texts
from resim.hard_scatter.rows import Wanted, select_rows
from resim.pairfile.columns import hard_scatter_columns
from resim.pairfile.schema import HARD_SCATTER
from tests.helpers.chain import HARD_SCATTERS

HBB = HARD_SCATTERS / "hbb_j.lhe.gz"


def test_every_column_of_the_schema_holds_the_parton_of_the_row():
    rows = select_rows(event_texts(HBB, 20), HBB, "ab", Wanted({25: "hbb"}, Selection(parton_pt_min=350)))
    columns = hard_scatter_columns(rows, 7, {"other": 0, "hbb": 1})
    assert set(columns) == {f"hard_scatter/{column.name}" for column in HARD_SCATTER}
    assert len(rows.partons) > 5
    assert set(columns["hard_scatter/source"]) == {7}
    assert set(columns["hard_scatter/label"]) == {1}
    assert set(columns["hard_scatter/parton_pdg_id"]) == {25}
    for row, event in enumerate(columns["hard_scatter/event"]):
        scatter = next(scatter for scatter in rows.scatters if scatter.index == event)
        (higgs,) = (p for p in scatter.event.particles if p.id == 25)
        assert columns["hard_scatter/parton_pt"][row] == np.hypot(higgs.px, higgs.py) >= 350
        assert columns["hard_scatter/parton_mass"][row] == higgs.m
        assert columns["hard_scatter/weight"][row] == scatter.event.eventinfo.weight
