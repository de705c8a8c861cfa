"""What sections of the evaluation card share."""

from pathlib import Path

from jetssl.config.evaluation import FineTuneCard, ProbeCard


def test_words_ask_for_the_same_again():
    asked = ProbeCard(data=(Path("a b.h5"),), labels=("20", "all"), unweighted=True)
    wanted = "--labels 20 --labels all --unweighted --seed 1 --baseline random --baseline features"
    assert asked.words[:2] == ["--data", "a b.h5"]
    assert " ".join(asked.words[2:]) == f"{wanted} --method linear_probe --layer encoder"


def test_names_and_numbers_as_the_program_needs_them():
    asked = FineTuneCard(classes="a+b,c", labels=(20, 20, "all"), mode=("full", "frozen", "full"))
    assert (asked.class_names, asked.label_counts, asked.mode) == (("a+b", "c"), (20, None), ("full", "frozen"))
    assert FineTuneCard().class_names == ()
