"""Weights of events beside XWGTUP, from text to pair file."""

import numpy as np
import pytest

from resim.card.run_options import RunOptions, Shard
from resim.common.errors import InputError
from resim.hard_scatter.event_checks import DefectError
from resim.hard_scatter.event_weights import announced_weights, weights_of
from resim.pairfile.digest import digest
from resim.pairfile.merging import merge
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.run.generate import generate
from resim.run.replay import replay
from tests.helpers.chain import FAULTS, fault_card, run_cli

INITRWGT = """<initrwgt>
<weightgroup name='scale_variation' combine='envelope'>
<weight id='1001' MUR="1.0"> muR=1 muF=1 </weight>
<weight MUR="2.0" id="1002">muR=2
muF=1</weight>
</weightgroup>
<weight id='rwgt_1'></weight>
</initrwgt>
"""
NAMES = {"1001": "1001 muR=1 muF=1", "1002": "1002 muR=2 muF=1", "rwgt_1": "rwgt_1"}
QUIET = RunOptions(quiet=True)


def test_names_are_ids_and_meanings():
    assert announced_weights(f"<header>{INITRWGT}</header>") == NAMES
    assert announced_weights("<header></header>") == {}


@pytest.mark.parametrize("broken", ["<initrwgt>", "<weight id='1'>", "<weight id='1' ", "<wgt id='1'>", "<weights "])
def test_what_never_ends_is_nothing_and_takes_no_time(broken):
    """With a pattern that looks for the end of each, minutes."""
    text = broken * 100_000
    assert announced_weights(f"<initrwgt>{text}") == {}
    assert weights_of(text, NAMES) == {}


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("", {}),
        ("<rwgt>\n<wgt id='1002'> -1.5D-01 </wgt>\n<wgt id='new'>2</wgt>\n", {NAMES["1002"]: -0.15, "new": 2.0}),
        (
            "<weights> 1.0 2.0\n 3.0 4.0 ",
            dict(zip([*NAMES.values(), "weights[3]"], (1.0, 2.0, 3.0, 4.0), strict=True)),
        ),
    ],
)
def test_both_forms_of_weights(text, weights):
    assert weights_of(text, NAMES) == weights


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<rwgt><wgt> 1 </wgt>", "a <wgt> without an id"),
        ("<rwgt><wgt id='1'> one </wgt>", "weight '1' is 'one', want a number"),
        ("<rwgt><wgt id='1'> nan </wgt>", "weight '1' is nan, want a finite number"),
    ],
)
def test_weights_that_are_none(text, message):
    with pytest.raises(DefectError, match=message):
        weights_of(text, NAMES)


def with_weights(folder, place, weight="{:.3e}"):
    """Twelve events, the second without weights beside its own; names in the header or in the `<init>` block."""
    head, *events = (FAULTS / "negw.lhe").read_text().split("<event>")
    changes = {"header": f"<header>{INITRWGT}</header>\n<init>", "init": f"<init>\n{INITRWGT}"}
    blocks = [head.replace("<init>", changes[place])]
    for i, event in enumerate(events):
        values = "".join(f"<wgt id='{n}'> {weight.format(n - 1000 + i)} </wgt>\n" for n in (1001, 1002))
        blocks.append(event.replace("</event>", f"<rwgt>\n{values}</rwgt>\n</event>") if i != 1 else event)
    path = folder / f"{place}.lhe"
    path.write_text("<event>".join(blocks))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("place", ["header", "init"])
def test_all_weights_are_kept_if_the_card_asks(tmp_path, place):
    card = fault_card(tmp_path, with_weights(tmp_path, place), {25: "h"}, weights="all")
    generate(card, tmp_path / "h.h5", QUIET)
    assert violations(tmp_path / "h.h5") == []
    with PairFile(tmp_path / "h.h5") as file:
        assert file.weight_names == (NAMES["1001"], NAMES["1002"])
        event = file.hard_scatter("event")
        expected = np.where(event == 1, np.nan, 2.0 + event)
        np.testing.assert_array_equal(file.event_weight("1002"), expected)
        np.testing.assert_array_equal(file.event_weight(NAMES["1002"]), expected)
        with pytest.raises(InputError, match="no weight '9', it keeps 1001 muR=1 muF=1, 1002"):
            file.event_weight("9")
    shards = [tmp_path / f"{number}.h5" for number in (1, 2)]
    for number, shard in enumerate(shards, 1):
        generate(card, shard, RunOptions(quiet=True, shard=Shard(number, 2), chunk_size=2))
    merge(shards, tmp_path / "merged.h5")
    assert digest(tmp_path / "merged.h5") == digest(tmp_path / "h.h5")
    assert replay(tmp_path / "h.h5", 3).differing == ()
    assert "2 beside XWGTUP: 1001 muR=1" in " ".join(run_cli("inspect", tmp_path / "h.h5").stdout.split())


@pytest.mark.parametrize("named", [True, False])
def test_weights_in_a_list_go_through_the_whole_of_generate(tmp_path, named):
    """`<weights>`: without ids, in the order in which `<initrwgt>` announces them; here one more than it announces."""
    head, *events = (FAULTS / "negw.lhe").read_text().split("<event>")
    blocks = [head.replace("<init>", f"<header>{INITRWGT}</header>\n<init>") if named else head]
    for i, event in enumerate(events):
        blocks.append(event.replace("</event>", f"<weights> {i}.5 -2D{i % 3}\n  {i + 10} 7 </weights>\n</event>"))
    (tmp_path / "list.lhe").write_text("<event>".join(blocks))
    card = fault_card(tmp_path, tmp_path / "list.lhe", {25: "h"}, weights="all")
    generate(card, tmp_path / "h.h5", QUIET)
    assert violations(tmp_path / "h.h5") == []
    with PairFile(tmp_path / "h.h5") as file:
        event = file.hard_scatter("event")
        names = (*NAMES.values(), "weights[3]") if named else tuple(f"weights[{i}]" for i in range(4))
        assert file.weight_names == names
        listed = (event + 0.5, -2.0 * 10.0 ** (event % 3), event + 10.0, np.full(len(event), 7.0))
        for name, expected in zip(names, listed, strict=True):
            np.testing.assert_array_equal(file.event_weight(name), expected)
        assert len(event) > 5
    assert replay(tmp_path / "h.h5", 3).differing == ()
    inspected = " ".join(run_cli("inspect", tmp_path / "h.h5").stdout.split())
    assert f"4 beside XWGTUP: {'1001 muR=1' if named else 'weights[0]'}" in inspected


def test_a_weight_that_is_no_number_makes_a_broken_event(tmp_path):
    path = with_weights(tmp_path, "header", "{:.1f}x")
    with pytest.raises(
        InputError, match=r"event 0: weight '1001 muR=1 muF=1' is '1.0x', want a number; repair the file"
    ):
        generate(fault_card(tmp_path, path, {25: "h"}, weights="all"), tmp_path / "h.h5", QUIET)


def test_a_file_without_more_weights_is_said(tmp_path, caplog):
    generate(
        fault_card(tmp_path, "negw.lhe", {25: "h"}, weights="all"),
        tmp_path / "h.h5",
        RunOptions(n_events=1, quiet=True),
    )
    assert "negw.lhe: `weights: all`, but its events have none beside XWGTUP" in caplog.text
    assert violations(tmp_path / "h.h5") == []
    with PairFile(tmp_path / "h.h5") as file:
        assert file.weight_names == ()
