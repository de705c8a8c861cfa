import pytest

from resim.hard_scatter.lhe_header import read_header
from resim.hard_scatter.matching import matching_of
from tests.helpers.chain import FAULTS, HARD_SCATTERS, REPOSITORY


@pytest.mark.parametrize(
    ("line", "scheme"),
    [
        (" 1 = ickkw ! matching\n 20.0 = xqcut", "MLM matching (ickkw = 1, xqcut = 20.0)"),
        ("   3        = ickkw   ! FxFx", "FxFx matching (ickkw = 3, xqcut = unset)"),
        (" 30.0 = ktdurham ! CKKW-L", "CKKW-L merging (ktdurham = 30.0)"),
        (" 'HERWIG7' = parton_shower", "aMC@NLO with the shower HERWIG7"),
    ],
)
def test_what_no_view_does_is_recognized(line, scheme):
    matching = matching_of(f"<MGRunCard>\n{line}\n</MGRunCard>", "")
    assert matching.scheme == scheme
    assert matching.settings == ()


@pytest.mark.parametrize("line", ["", " 0 = ickkw", "# 1 = ickkw of another card", " -1.0 = ktdurham", " 1 = nhel"])
def test_samples_without_matching_are_left_alone(line):
    assert matching_of(line, "MadGraph5_aMC@NLO 3.5.7") is None


def test_shipped_samples_have_no_matching():
    for path in HARD_SCATTERS.glob("*.lhe.gz"):
        assert matching_of(read_header(path).text, "MadGraph5_aMC@NLO") is None
    assert matching_of(read_header(FAULTS / "mlm.lhe").text, "").scheme.startswith("MLM")


@pytest.mark.parametrize(
    ("header", "generator", "preset"),
    [
        (" PYTHIA8 = parton_shower", "", "amcatnlo_global_recoil"),
        ("# POWHEG BOX V2\n", "", "powheg"),
        ("", "POWHEG-BOX 2", "powheg"),
    ],
)
def test_presets_do_what_their_generator_assumes(header, generator, preset):
    matching = matching_of(header, generator)
    lines = tuple((REPOSITORY / f"cards/pythia/{preset}.cmnd").read_text().splitlines())
    assert matching.preset == f"cards/pythia/{preset}.cmnd"
    assert matching.missing(lines) == []
    assert matching.missing(()) == list(matching.settings)
    assert matching.missing((*lines, "TimeShower:pTmaxMatch = 2")) == ["TimeShower:pTmaxMatch = 1"]
