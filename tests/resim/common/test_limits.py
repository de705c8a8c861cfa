"""Input made to take time or memory is refused in one line that names the limit; nothing here takes a second."""

import gzip
from pathlib import Path

import pytest

from resim.card.delphes_card import evaluate_card
from resim.common import limits
from resim.common.cards import parse_yaml, read_yaml
from resim.common.errors import InputError
from resim.detector.formula_parser import tokens_of
from resim.hard_scatter.lhe_header import read_header
from resim.hard_scatter.lhe_reading import survey

HEAD = "<LesHouchesEvents>\n<init>\n2212 2212 6500. 6500. 0 0 0 0 3 1\n1. 1. 1. 1\n</init>\n<event>\n"
TAIL = "</event>\n</LesHouchesEvents>\n"
PARTICLE = "21 1 1 2 501 502 0. 0. 5. 5. 0. 0. 9.\n"


def lhe(text):
    return HEAD + text + TAIL


HOSTILE = {
    "a large card": (read_yaml, "#" * (limits.CARD_BYTES + 1), r"input: has 200001 bytes, want a card of 200000 at most"),
    "values": (read_yaml, "[" + "1," * limits.CARD_VALUES + "]", "2e\\+04 keys and values, want 20000"),
    "aliases": (read_yaml, "a: &a [1,1,1,1,1,1,1,1]\n" + "".join(f"{y}: &{y} [{f'*{x},' * 9}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)), "keys and values, want 20000 at most"),
    "a list in itself": (read_yaml, "a: &a [*a]\n", "keys and values, want 20000 at most"),
    "particles": (survey, lhe(f"{501} 1 1. 1. 1. 1.\n" + 501 * PARTICLE), "has 501 particles, want 500 at most"),
    "elements": (survey, lhe("<a/>" * (limits.LHE_BLOCK // limits.LHE_PER_ELEMENT)), "more than 2000000 characters or"),
    "text": (survey, lhe("#" * (limits.LHE_BLOCK + 1)), "more than 2000000 characters or lines"),
    "a tag without end": (survey, lhe("<" + "a" * 300_000 + ">\n"), "event 0: has no event line"),
    "a header": (read_header, "<LesHouchesEvents>\n" + "x" * (limits.LHE_HEADER + 1), "within 5000000 characters"),
    "sourced files": (evaluate_card, "#" * (limits.TCL_CARD + 1), "at most 500000 bytes"),
    "modules": (evaluate_card, "for {set i 0} {$i < 501} {incr i} { module A m$i {} }", "more than 500 modules"),
    "depth": (evaluate_card, "set a " + "[list " * 45 + "[expr {" + "1||1&&1|1^1&1==1<1<<1+1*(" * 49 + "1" + ")" * 49 + "}]" + "]" * 45, "are nested too deeply"),
    "expressions": (evaluate_card, "for {} {1} {} { expr {" + "1+" * 5000 + "1} }", "more than 1000000 steps"),
}  # fmt: skip
"""What reads it, the text, and what the message says."""


@pytest.mark.parametrize("case", HOSTILE)
def test_limits_are_named(tmp_path, case):
    read, text, message = HOSTILE[case]
    path = tmp_path / "input"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) - len(str(path)) <= 300


def test_an_override_has_the_limit_of_a_card():
    with pytest.raises(InputError, match="has 200001 characters, want 200000 at most"):
        parse_yaml("#" * (limits.CARD_BYTES + 1), "override")


def test_a_formula_has_a_length():
    with pytest.raises(InputError, match="the formula has 20001 characters, want 20000 at most"):
        tokens_of("1" * (limits.FORMULA_CHARACTERS + 1))


@pytest.mark.parametrize("line", ["\n", "<slha\n", "<slha>\n", "block  \n", "<slha>block qnumbers\n"])
def test_headers_are_searched_in_linear_time(tmp_path, line):
    """A million lines once took minutes, as time went with the square."""
    path = tmp_path / "a.lhe"
    path.write_text(f"<LesHouchesEvents>\n<slha>\n{line * 200_000}</slha>\n<init>\n")
    assert read_header(path).new_particles == frozenset()


def test_a_small_file_that_unpacks_to_a_large_one(tmp_path, monkeypatch):
    monkeypatch.setattr("resim.hard_scatter.lhe_text.INFLATION_FREE", 1_000_000)
    path = tmp_path / "bomb.lhe.gz"
    path.write_bytes(gzip.compress(lhe(("#" * 99 + "\n") * 15_000).encode()))
    with pytest.raises(InputError, match=r"bomb.lhe.gz: unpacks to more than 1 MB, 50 times its size"):
        survey(path)


def test_every_limit_is_finite_and_says_why():
    lines = Path(limits.__file__).read_text().splitlines()
    names = [i for i, line in enumerate(lines) if ": Final = " in line]
    assert len(names) > 20
    assert all(lines[i + 1].startswith('"""') for i in names)
