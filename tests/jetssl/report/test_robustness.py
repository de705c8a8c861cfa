import pytest

from jetssl.evaluation.results import Distribution, write_records, write_results
from jetssl.report.robustness import is_robustness, robustness_section
from resim.common.errors import InputError
from tests.helpers.records import robustness_records

VIEWS = ("nominal", "seed")


@pytest.fixture
def folder(tmp_path):
    """What an evaluation of two runs writes, with a class that is too rare for a panel."""
    path = tmp_path / "out"
    shapes = [
        Distribution(run=run, quantity=quantity, view=view, jet_class=name, edges=[0, 1, 2], counts=[jets - 1, 1])
        for run, quantity in (("one", "score"), ("two", "score"), (None, "mass"))
        for view in VIEWS
        for name, jets in (("b", 30), ("c", 2), ("q", 20), ("c+q", 22))
    ]
    write_results(path / "results.json", [*robustness_records("one"), *robustness_records("two")])
    write_records(path / "distributions.json", shapes)
    return path


@pytest.mark.slow
def test_section(folder, tmp_path):
    assert is_robustness(folder)
    section = robustness_section(folder, tmp_path / "scratch")
    assert (section.title, section.kind) == ("out", "robustness")
    assert len(section.tables) == 3
    captions = [picture.caption for picture in section.pictures]
    assert len(captions) == 6
    assert captions[0].startswith("Wasserstein-1 distance")
    assert captions[1].startswith("Calibration of one by view")
    assert captions[3].startswith("Probability of being signal of one")
    assert captions[5].endswith("The last bin holds everything beyond it.")


def test_other_folders(folder, tmp_path):
    assert not is_robustness(tmp_path)
    (folder / "distributions.json").write_text("[{}]")
    with pytest.raises(InputError, match=r"distributions\.json: unreadable"):
        is_robustness(folder)
