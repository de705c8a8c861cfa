"""What a pair file made from real events says about physics and bookkeeping."""

from itertools import pairwise

import numpy as np
import pytest

from resim.card.run_options import RunOptions
from resim.hard_scatter.lhe_reading import event_blocks, parse_event
from resim.hard_scatter.partons import find_partons
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.run.generate import generate
from tests.helpers.chain import HARD_SCATTERS, N_EVENTS, REPOSITORY, TWO_VIEWS, fault_card

VIEWS = ["nominal", "seed", "rehadron", "fsr_up"]


@pytest.fixture(scope="module")
def file(pairs):
    with PairFile(pairs) as opened:
        yield opened


def test_the_file_is_valid_and_says_what_it_is(pairs, file):
    assert violations(pairs) == []
    assert file.view_names == VIEWS
    assert file.labels == ["hbb", "qcd_g", "qcd_q"]
    assert file.provenance.detector == "none"
    assert [(view.parent, view.freeze) for view in file.views] == [
        (None, None),
        ("nominal", "hard_scatter"),
        ("nominal", "parton_shower"),
        ("nominal", "hard_scatter"),
    ]
    assert "TimeShower:renormMultFac = 0.25" in file.views[3].settings["lines"]


def test_rows_are_the_selected_partons_in_order(file):
    expected = []
    samples = {"hbb_j": {25: "hbb"}, "qcd_jj": dict.fromkeys((1, 2, 3, 4, 21), "q")}
    for source, (name, labels) in enumerate(samples.items()):
        path = HARD_SCATTERS / f"{name}.lhe.gz"
        for index, block in event_blocks(path, N_EVENTS):
            partons = find_partons(parse_event(block, path, index), labels)
            passed = [parton for parton in partons if parton.pt >= 300 and abs(parton.eta) <= 2.5]
            expected += [(source, index, parton.pdg_id, parton.pt) for parton in passed]
    columns = [file.hard_scatter(name).tolist() for name in ("source", "event", "parton_pdg_id", "parton_pt")]
    assert list(zip(*columns, strict=True)) == expected


def test_counts_account_for_every_parton_and_row(file):
    for source in file.provenance.sources:
        counts = source.counts
        assert counts.events == N_EVENTS
        assert counts.partons == counts.rows + sum(counts.rejected.values())
    for view, counts in file.provenance.views.items():
        assert counts.valid == file.valid(view).sum()
        assert counts.valid + sum(counts.lost.values()) == len(file)


def test_views_share_the_seeds_of_what_they_freeze(file):
    seeds = {view: {s: file.read(f"views/{view}/seeds/{s}") for s in ("shower", "hadronization")} for view in VIEWS}
    assert np.array_equal(seeds["rehadron"]["shower"], seeds["nominal"]["shower"])
    assert (seeds["rehadron"]["hadronization"] != seeds["nominal"]["hadronization"]).all()
    for other in ("seed", "fsr_up"):
        assert (seeds[other]["shower"] != seeds["nominal"]["shower"]).all()
    assert (file.read("views/nominal/seeds/detector") == 0).all()


def test_jets_are_near_their_parton_and_carry_its_momentum(file):
    for view in VIEWS:
        valid = file.valid(view)
        response = file.jets(view, "pt")[valid] / file.hard_scatter("parton_pt")[valid]
        assert 0.9 < np.median(response) < 1.1
        phi = file.jets(view, "phi")[valid] - file.hard_scatter("parton_phi")[valid]
        assert np.abs((phi + np.pi) % (2 * np.pi) - np.pi).max() < 0.8


def test_a_jet_is_the_sum_of_its_constituents(file):
    offsets = file.offsets("nominal")
    columns = {name: file.constituents("nominal", name).astype(float) for name in ("pt", "eta", "phi", "energy")}
    for row in np.flatnonzero(file.valid("nominal")):
        pt, eta, phi, energy = (column[offsets[row] : offsets[row + 1]] for column in columns.values())
        px, py, pz = (pt * np.cos(phi)).sum(), (pt * np.sin(phi)).sum(), (pt * np.sinh(eta)).sum()
        mass = np.sqrt(energy.sum() ** 2 - px**2 - py**2 - pz**2)
        assert np.hypot(px, py) == pytest.approx(file.jets("nominal", "pt")[row], rel=1e-4)
        assert mass == pytest.approx(file.jets("nominal", "mass")[row], rel=1e-2)
        assert energy.sum() == pytest.approx(file.jets("nominal", "energy")[row], rel=1e-4)


def test_the_higgs_mass_is_there_in_every_view(file):
    higgs = file.label_names() == "hbb"
    for view in VIEWS:
        masses = file.jets(view, "softdrop_mass")[higgs & file.valid(view)]
        assert 100 < np.median(masses) < 140


def test_the_views_of_a_row_point_the_same_way(file):
    """Within the recoil of initial-state radiation, which is part of what a new shower changes."""
    for view, largest in {"seed": 0.35, "fsr_up": 0.35, "rehadron": 0.03}.items():
        both = file.valid("nominal") & file.valid(view)
        a, b = ({name: file.jets(v, name)[both] for name in ("eta", "phi")} for v in ("nominal", view))
        delta_phi = (a["phi"] - b["phi"] + np.pi) % (2 * np.pi) - np.pi
        assert np.median(np.hypot(a["eta"] - b["eta"], delta_phi)) < largest


def test_no_neutrinos_among_the_constituents(file):
    for view in VIEWS:
        assert not np.isin(np.abs(file.constituents(view, "pdg_id")), [12, 14, 16]).any()


def test_displaced_tracks_exist_and_are_within_the_lifetime_convention(file):
    d0 = np.abs(file.constituents("nominal", "d0"))
    assert 0 < d0.max() < 100
    assert (file.constituents("nominal", "d0_err") == 0).all()


def test_substructure_is_ordered(file):
    valid = file.valid("nominal")
    taus = [file.jets("nominal", f"tau{n}")[valid] for n in range(1, 5)]
    assert all((more <= 1.1 * fewer + 1e-3).all() for fewer, more in pairwise(taus))
    assert (file.jets("nominal", "softdrop_mass")[valid] <= file.jets("nominal", "mass")[valid] + 1e-3).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lhe", "settings", "mass"),
    [("semi_12.lhe", [], 57), ("semi_52.lhe", [], 57), ("semi_52.lhe", ["52:isVisible = on"], 128)],
)
def test_jets_hold_what_the_generator_calls_visible(tmp_path, lhe, settings, mass):
    """h -> a a -> b b X X of 125 GeV: the two a share it, and only b b is seen, unless the card says otherwise."""
    views = TWO_VIEWS | {"nominal": {"shower": TWO_VIEWS["nominal"]["shower"] | {"settings": settings}}}
    card = fault_card(tmp_path, lhe, {25: "h"}, views, select={"parton_pt_min": 300})
    generate(card, tmp_path / "h.h5", RunOptions(quiet=True))
    with PairFile(tmp_path / "h.h5") as file:
        assert np.nanmedian(file.jets("nominal", "mass")) == pytest.approx(mass, rel=0.15)
        assert bool((np.abs(file.constituents("nominal", "pdg_id")) == 52).any()) is bool(settings)


@pytest.mark.slow
def test_members_of_a_family_are_independent_and_do_not_know_how_many_they_are(tmp_path):
    again = {"from": "nominal", "freeze": "hadronization"}
    blocks, rows = [], {25: "hbb"}
    for repeat in (1, 3):
        card = fault_card(
            tmp_path,
            HARD_SCATTERS / "hbb_j.lhe.gz",
            rows,
            {"nominal": {}, "redetect": again | {"repeat": repeat}},
            detector={"card": str(REPOSITORY / "cards/delphes/cms_tracking.tcl")},
        )
        path = tmp_path / f"{repeat}.h5"
        generate(card, path, RunOptions(n_events=6, quiet=True))
        assert violations(path) == []
        with PairFile(path) as file:
            blocks.append(file.block(0, len(file)).arrays)
            assert file.view_names == ["nominal", *(f"redetect/{i}" for i in range(repeat))]
    fewer, more = blocks
    assert all(np.array_equal(more[path], array, equal_nan=array.dtype.kind == "f") for path, array in fewer.items())
    pt = [more[f"views/{view}/jets/pt"] for view in ("nominal", "redetect/0", "redetect/1", "redetect/2")]
    assert all((a != b).all() for i, a in enumerate(pt) for b in pt[:i])
    shower = [more[f"views/redetect/{i}/seeds/shower"] for i in range(3)]
    assert (shower[0] == shower[1]).all()
