import pytest

from jetssl.config.evaluation import EvaluateCard, EvaluationCard, load_section
from jetssl.config.sections import Section
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY

CARDS = sorted((REPOSITORY / "cards/evaluate").glob("*.yaml"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
@pytest.mark.parametrize("command", EvaluationCard.model_fields)
def test_shipped_cards_have_a_section_for_every_command(path, command):
    assert load_section(path, command)


def test_every_option_has_a_help():
    sections = [section for kind in Section.__subclasses__() for section in (kind, *kind.__subclasses__())]
    assert all(field.description for section in sections for field in section.model_fields.values())


def test_files_are_found_from_the_card(tmp_path):
    (tmp_path / "pairs.h5").touch()
    (tmp_path / "card.yaml").write_text("probe: {data: [pairs.h5], seed: 3}")
    assert load_section(tmp_path / "card.yaml", "probe") == {"data": (tmp_path / "pairs.h5",), "seed": 3}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("probe: {labels: [3]}", "probe.labels.0: 3: want a number of at least 4, as many of each class, or `all`"),
        ("probe: {labels: [100, true]}", "probe.labels.1: True: want a number of at least 4"),
        ("probe: {labels: []}", "probe.labels: .* at least 1"),
        ("probe: {label: [100]}", "unknown key probe.label; valid keys here: data, signal"),
        (
            "prob: {}",
            "unknown key prob; valid keys here: probe, finetune, evaluate, geometry, anomaly, cwola, compare",
        ),
        ("probe: {data: [none.h5]}", "file none.h5 not found"),
        ("finetune: {}", "card.yaml: has no section `probe`; add it, or leave out --card"),
        ("geometry: {rows: 3}", "geometry.rows: 3: .* greater than or equal to 20"),
    ],
)
def test_bad_cards_are_one_line(text, message, tmp_path):
    (tmp_path / "card.yaml").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_section(tmp_path / "card.yaml", "probe")
    assert "\n" not in str(caught.value)


def test_outputs_for_and_against():
    assert EvaluateCard().logit_names is None
    assert EvaluateCard(logit="Hbb+Hcc-QCD").logit_names == (("Hbb", "Hcc"), ("QCD",))
    for wrong in ("Hbb", "Hbb-", "-QCD", "a-b-c", "a++b-c"):
        with pytest.raises(InputError, match="want outputs for and against, as Hbb-QCD"):
            _ = EvaluateCard(logit=wrong).logit_names
    with pytest.raises(InputError, match="chooses outputs of a trained head; leave out --head probe"):
        _ = EvaluateCard(logit="Hbb-QCD", head="probe").logit_names
