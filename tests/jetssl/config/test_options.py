import click
import pytest
from click.testing import CliRunner

from jetssl.config.evaluation import CompareCard, EvaluationCard, FineTuneCard, ProbeCard
from jetssl.config.options import options_of, section_from
from resim.common.errors import InputError

SECTIONS = {"probe": ProbeCard, "finetune": FineTuneCard, "compare": CompareCard}


def asked(command, *words):
    """What a command is asked by its words."""
    found = []

    @click.command(command)
    @options_of(SECTIONS[command])
    def run(**options):
        found.append(section_from(SECTIONS[command], options))

    done = CliRunner().invoke(run, [*map(str, words)])
    if done.exception:
        raise done.exception
    return found[0]


@pytest.mark.parametrize("command", SECTIONS)
def test_without_words_all_is_as_the_section_says(command):
    assert asked(command) == SECTIONS[command]()


def test_the_command_line_goes_before_the_card_and_that_before_the_default(tmp_path):
    card = tmp_path / "card.yaml"
    card.write_text(
        "finetune: {labels: [20, all], seeds: 3, mode: [full], unweighted: true}\ncompare: {any_features: true}"
    )
    from_card = asked("finetune", "--card", card)
    assert from_card == FineTuneCard(labels=(20, "all"), seeds=3, mode=("full",), unweighted=True)
    both = asked("finetune", "--labels", "50", "--card", card, "--seeds", "4", "--no-unweighted")
    assert both == FineTuneCard(labels=(50,), seeds=4, mode=("full",))
    assert asked("compare", "--card", card) == CompareCard(any_features=True)
    assert asked("finetune", *from_card.words) == from_card
    with pytest.raises(InputError, match="has no section `probe`"):
        asked("probe", "--card", card)
    assert EvaluationCard.model_fields.keys() > SECTIONS.keys()


def test_labels_one_by_one_or_with_commas():
    assert asked("probe", "--labels", "20,50", "--labels", "all") == ProbeCard(labels=(20, 50, "all"))


@pytest.mark.parametrize("text", ["3", "many", "-4", "1.5", "100,3", "100,"])
def test_too_few_labels(text):
    with pytest.raises(InputError, match=f"--labels {text}: want a number of at least 4"):
        asked("probe", "--labels", text)


@pytest.mark.parametrize("words", [("--seeds", "1"), ("--mode", "half"), ("--head", "none"), ("--seed", "-1")])
def test_what_no_value_is_is_wrong_usage(words):
    with pytest.raises(SystemExit) as left:
        asked("finetune", *words)
    assert left.value.code == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--mode", "frozen", "--layer-decay", "0.8"), "encoder_rate and layer_decay are those of mode full"),
        (("--layer-decay", "1.5"), "--layer-decay 1.5: Input should be less than or equal to 1"),
        (("--encoder-rate", "nan"), "--encoder-rate nan: Input should be a finite number"),
    ],
)
def test_what_click_does_not_know_is_one_line_too(words, message):
    with pytest.raises(InputError, match=f"^{message}"):
        asked("finetune", *words)
