import re
from dataclasses import replace

import pytest
import yaml

from resim.card.generation_card import load_card
from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.pairfile.reader import PairFile
from resim.run.generate import generate
from resim.run.planning import plan_run
from tests.helpers.chain import FAULTS, fault_card, run_cli

OPTIONS = RunOptions(n_events=2, quiet=True)
LHC = ((2212, 6500.0), (2212, 6500.0))


def two_energies(tmp_path, **more):
    sources = [{"lhe": str(FAULTS / f"beams_{n}tev.lhe"), "rows": {25: f"h{n}"}} for n in (13, 14)]
    return fault_card(tmp_path, "beams_13tev.lhe", {25: "h"}, sources=sources, **more)


def test_sources_of_different_beams_are_refused_unless_the_card_says_so(tmp_path):
    with pytest.raises(InputError, match=r"beams_14tev.lhe: beams 2212 at 7000 GeV .*; classes would differ by that"):
        plan_run(load_card(two_energies(tmp_path)), OPTIONS)
    run = plan_run(load_card(two_energies(tmp_path, different_beams=True)), OPTIONS)
    assert [source.beams for source in run.sources] == [LHC, ((2212, 7000.0), (2212, 7000.0))]


def test_the_file_says_its_beams(tmp_path):
    card = fault_card(tmp_path, "beams_13tev.lhe", {25: "h"})
    assert generate(card, tmp_path / "h.h5", OPTIONS).sources[0].beams == LHC
    assert "beams: 2212 at 6500 GeV and 2212 at 6500" in " ".join(
        run_cli("inspect", tmp_path / "h.h5").stdout.split()
    )


def test_a_particle_that_nobody_defines_is_named_before_any_work(tmp_path):
    path = fault_card(tmp_path, "unknown.lhe", {61: "h"})
    with pytest.raises(
        InputError, match=r"unknown.lhe: PDG id 61 is unknown to Pythia, .* BLOCK QNUMBERS 61; define"
    ):
        plan_run(load_card(path), OPTIONS)
    card = yaml.safe_load(path.read_text())
    card["views"]["nominal"]["shower"]["settings"] = ["61:new = phi phi 1 0 0 125.0"]
    path.write_text(yaml.safe_dump(card))
    assert plan_run(load_card(path), OPTIONS).n_events == 2
    assert plan_run(load_card(fault_card(tmp_path, "phi.lhe", {9000006: "phi"})), OPTIONS).n_events == 2


def test_events_without_colours_are_named_before_any_work(tmp_path):
    with pytest.raises(InputError, match=r"nocolour.lhe:\d+: event 0: particle 1 .PDG id 21. has the colours 0 502"):
        plan_run(load_card(fault_card(tmp_path, "nocolour.lhe", {25: "h"})), OPTIONS)


def test_weights_that_differ_are_said_and_recorded(tmp_path, caplog):
    record = generate(fault_card(tmp_path, "negw.lhe", {25: "h"}), tmp_path / "h.h5", OPTIONS).sources[0]
    assert re.search(r"negw.lhe: cross section .* IDWTUP .* negative: .* jetssl counts rows by them", caplog.text)
    assert record.weights["negative"] >= 0
    assert "negative: worth" in " ".join(run_cli("inspect", tmp_path / "h.h5").stdout.split())


def test_samples_for_matching_are_refused_or_said_to_be_ignored(tmp_path, caplog):
    card = fault_card(tmp_path, "mlm.lhe", {25: "h"})
    with pytest.raises(InputError, match=r"mlm.lhe: was made for MLM matching .*xqcut = 20.0.*--ignore-matching to"):
        plan_run(load_card(card), OPTIONS)
    run = plan_run(load_card(card), replace(OPTIONS, ignore_matching=True))
    assert run.sources[0].matching == "MLM matching (ickkw = 1, xqcut = 20.0)"
    assert "which is ignored: the view nominal does not do that" in caplog.text


def test_samples_of_amcatnlo_want_its_settings(tmp_path):
    text = (FAULTS / "mlm.lhe").read_text().replace(" 1 = ickkw", " PYTHIA8 = parton_shower")
    (tmp_path / "nlo.lhe").write_text(text)
    card = fault_card(tmp_path, tmp_path / "nlo.lhe", {25: "h"})
    with pytest.raises(InputError, match=r"does not set .*pTmaxMatch = 1 .see cards/pythia/amcatnlo_global_recoil"):
        plan_run(load_card(card), OPTIONS)
    views = {"nominal": {"shower": {"card": "cards/pythia/amcatnlo_global_recoil.cmnd"}}}
    card = fault_card(tmp_path, tmp_path / "nlo.lhe", {25: "h"}, views)
    assert plan_run(load_card(card), OPTIONS).sources[0].matching == ""
    views["vincia"] = {"from": "nominal", "freeze": "hard_scatter", "shower": {"model": "vincia"}}
    with pytest.raises(InputError, match="the view vincia does not do that"):
        plan_run(load_card(fault_card(tmp_path, tmp_path / "nlo.lhe", {25: "h"}, views)), OPTIONS)


@pytest.mark.parametrize("rows", [{6: "top"}, {24: "w"}])
def test_an_undecayed_particle_in_the_decay_of_a_row_is_said(tmp_path, caplog, rows):
    plan_run(load_card(fault_card(tmp_path, "top_open_w.lhe", rows)), OPTIONS)
    assert "top_open_w.lhe: leaves PDG ids [24] undecayed, in rows or in their decays" in caplog.text


def test_a_decayed_row_beside_an_open_one_is_not_said(tmp_path, caplog):
    plan_run(load_card(fault_card(tmp_path, "top_open_w.lhe", {5: "b"})), OPTIONS)
    assert "undecayed" not in caplog.text


def test_equal_events_of_two_files_are_counted_and_simulated_with_other_random_numbers(tmp_path):
    sources = [{"lhe": str(FAULTS / f"twice_{n}.lhe"), "rows": {25: f"h_{n}"}} for n in "ab"]
    card = fault_card(tmp_path, "twice_a.lhe", {25: "h"}, sources=sources)
    record = generate(card, tmp_path / "h.h5", OPTIONS)
    assert [source.repeats for source in record.sources] == [0, 2]
    assert "2 events equal earlier ones" in " ".join(run_cli("inspect", tmp_path / "h.h5").stdout.split())
    with PairFile(tmp_path / "h.h5") as file:
        identity, seeds = file.hard_scatter("identity"), file.read("views/nominal/seeds/shower")
    assert identity[:2].tolist() == identity[2:].tolist()
    assert len(set(seeds.tolist())) == 4


def test_events_that_come_twice_are_said(tmp_path, caplog):
    sources = [{"lhe": str(FAULTS / f"twice_{n}.lhe"), "rows": {25: f"h_{n}"}} for n in "ab"]
    plan_run(
        load_card(fault_card(tmp_path, "twice_a.lhe", {25: "h"}, sources=sources)), replace(OPTIONS, n_events=None)
    )
    assert re.search(r"twice_b.lhe: 5 events equal events of .*twice_a.lhe: rows of their own", caplog.text)
    text = (FAULTS / "twice_a.lhe").read_text()
    event = text[text.index("<event>") : text.index("</event>") + 9]
    (tmp_path / "again.lhe").write_text(text.replace("</LesHouchesEvents>", f"{event}</LesHouchesEvents>"))
    plan_run(load_card(fault_card(tmp_path, tmp_path / "again.lhe", {25: "h"})), replace(OPTIONS, n_events=None))
    assert "again.lhe: 1 events equal an earlier one: rows" in caplog.text
