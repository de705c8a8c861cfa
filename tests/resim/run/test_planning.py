"""A run cut into chunks, and what is refused before any work."""

from dataclasses import replace

import pytest
import yaml

from resim.card.generation_card import load_card
from resim.card.run_options import RunOptions, Shard
from resim.common import versions
from resim.common.errors import InputError
from resim.run.planning import plan_run

OPTIONS = RunOptions(n_events=25, chunk_size=10, quiet=True)


def test_chunks_hold_every_event_once_in_order(card):
    run = plan_run(load_card(card), OPTIONS)
    events = [(spec.source, event) for spec in run.chunks for event in spec.events]
    assert events == [(source, event) for source in (0, 1) for event in range(25)]
    assert [len(spec.events) for spec in run.chunks] == [10, 10, 5] * 2
    assert [spec.number for spec in run.chunks] == list(range(6))
    read = [(chunk.number, event.index) for chunk in run.read(run.chunks[1:]) for event in chunk.events]
    assert read == [(spec.number, event) for spec in run.chunks[1:] for event in spec.events]


@pytest.mark.slow
@pytest.mark.parametrize("of", [1, 3, 7])
def test_shards_are_a_division_of_the_run(card, of):
    card = load_card(card)
    runs = [plan_run(card, replace(OPTIONS, shard=Shard(number, of))) for number in range(1, of + 1)]
    events = [(spec.source, event) for run in runs for spec in run.chunks for event in spec.events]
    assert events == [(source, event) for source in (0, 1) for event in range(25)]
    assert len({run.key for run in runs}) == 1


def changed(card, tmp_path, change):
    content = yaml.safe_load(card.read_text())
    change(content)
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return load_card(path)


@pytest.mark.parametrize(
    ("change", "options", "same"),
    [
        (lambda content: None, {"chunk_size": 3}, True),
        (lambda content: None, {"workers": 4}, True),
        (lambda content: None, {"seed": 2}, False),
        (lambda content: None, {"n_events": 24}, False),
        (lambda content: content.update(jets={"radius": 0.5}), {}, False),
        (lambda content: content["views"].pop("fsr_up"), {}, False),
    ],
)
def test_the_key_tells_what_determines_the_arrays(card, tmp_path, change, options, same):
    before = plan_run(load_card(card), OPTIONS).key
    now = plan_run(changed(card, tmp_path, change), replace(OPTIONS, **options)).key
    assert (now == before) is same


@pytest.mark.parametrize(("installed", "same"), [("9.0.1.dev2+gb", True), ("9.0.1", False), ("9.0.2.dev1+ga", False)])
def test_the_key_is_that_of_a_release_and_not_of_every_commit(card, monkeypatch, installed, same):
    monkeypatch.setattr(versions, "resim_version", lambda: "9.0.1.dev1+ga")
    before = plan_run(load_card(card), OPTIONS).key
    monkeypatch.setattr(versions, "resim_version", lambda: installed)
    assert (plan_run(load_card(card), OPTIONS).key == before) is same


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["sources"].append(content["sources"][0]), "the same events as"),
        (lambda content: content["sources"][0].update(rows={6: "t"}), r"no particle with \|PDG id\| \[6\]"),
    ],
)
def test_sources_that_cannot_be(card, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        plan_run(changed(card, tmp_path, change), OPTIONS)
