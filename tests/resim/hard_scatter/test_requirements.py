"""Finished events against what their process card requires."""

import pytest

from resim.common.errors import InputError
from resim.hard_scatter.process_card import Requirement, load_process_card
from resim.hard_scatter.requirements import check_requirements
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY


@pytest.mark.parametrize("path", sorted(HARD_SCATTERS.glob("*.lhe.gz")), ids=lambda path: path.name.split(".")[0])
def test_shipped_samples_fulfil_the_card_that_makes_them(path):
    card = load_process_card(REPOSITORY / f"cards/madgraph/{path.name.split('.')[0]}.yaml")
    check_requirements(path, card.require)
    first = card.require[0]
    harder = first.model_copy(update={"pt_min": 1.5 * first.pt_min})
    with pytest.raises(InputError, match="so the cut did not act"):
        check_requirements(path, [harder])


def test_requirements_have_two_sides(tmp_path, qcd_text):
    path = tmp_path / "qcd.lhe"
    path.write_text(qcd_text)
    jets = (1, 2, 3, 4, 21)
    check_requirements(path, [Requirement(pdg_ids=jets, pt_min=250, pt_max=1000, abs_eta_max=2.5)])
    for bad in ({"pt_max": 300}, {"abs_eta_max": 0.5}):
        with pytest.raises(InputError, match=r"event \d: particle -?\d+ has .*, so the cut did not act"):
            check_requirements(path, [Requirement(pdg_ids=jets, **bad)])
    with pytest.raises(InputError, match=r"no event holds a particle of .PDG id. \[25\]"):
        check_requirements(path, [Requirement(pdg_ids=jets), Requirement(pdg_ids=(25,), pt_min=300)])
