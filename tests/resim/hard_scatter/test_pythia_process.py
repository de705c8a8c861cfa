"""Hard scatters of Pythia's own processes; the command around them is tested in `test_make_lhe`."""

import pytest

from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import event_blocks, parse_event, survey
from resim.hard_scatter.process_card import PythiaProcess, Requirement
from resim.hard_scatter.pythia_process import write_pythia_events

CARD = PythiaProcess(
    backend="pythia",
    e_cm=13000,
    settings=("HardQCD:gg2gg = on", "PhaseSpace:pTHatMin = 400"),
    n_events=5,
    require=(Requirement(pdg_ids=(21,), pt_min=400),),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("pythia") / "events.lhe"
    write_pythia_events(CARD, 5, 3, path, quiet=True)
    return path


def test_events_are_those_of_the_process(path):
    found = survey(path)
    assert (found.n_events, found.pdg_ids) == (5, {21})
    assert (found.beams.energy_a, found.beams.energy_b) == (6500, 6500)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    for index, block in event_blocks(path):
        event = parse_event(block, path, index)
        outgoing = [p for p in event.particles if p.status == 1]
        assert all((p.px**2 + p.py**2) ** 0.5 >= 400 for p in outgoing)
        assert event.eventinfo.scale > 0
        assert 0.08 < event.eventinfo.aqcd < 0.13


def test_the_mean_weight_is_the_cross_section(path):
    weights = [parse_event(block, path, index).eventinfo.weight for index, block in event_blocks(path)]
    init = path.read_text().split("<init>\n")[1].splitlines()
    assert sum(weights) / 5 == pytest.approx(float(init[1].split()[0]))  # XSECUP in pb


def test_equal_seeds_give_equal_bytes(path, tmp_path):
    again, other = tmp_path / "again.lhe", tmp_path / "other.lhe"
    write_pythia_events(CARD, 5, 3, again, quiet=True)
    write_pythia_events(CARD, 5, 4, other, quiet=True)
    assert again.read_bytes() == path.read_bytes() != other.read_bytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("HardQCD:all = on", "No:such = 1"), "refuses the setting 'No:such = 1'"),
        (("Tune:pp = 14",), "makes no process"),
    ],
)
def test_cards_that_make_nothing(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        write_pythia_events(CARD.model_copy(update={"settings": settings}), 1, 1, tmp_path / "x.lhe", quiet=True)
