"""Scripts of Tcl as commands and words."""

import pytest

from resim.common.tcl.values import TclError
from resim.common.tcl.words import parse_script, parse_text, parse_variable


def literals(script):
    return [[word.literal for word in command.words] for command in parse_script(script)]


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("set a 1; set b 2\nputs x", [["set", "a", "1"], ["set", "b", "2"], ["puts", "x"]]),
        ("# a comment ; with\nset a 1", [["set", "a", "1"]]),
        ("set a {b {c d} $e}", [["set", "a", "b {c d} $e"]]),
        ('set a "b c"', [["set", "a", "b c"]]),
        ("set a \\\n  b", [["set", "a", "b"]]),
        ("set a b\\;c", [["set", "a", "b;c"]]),
        ("", []),
    ],
)
def test_words_without_substitution(script, wanted):
    assert literals(script) == wanted


def test_variables_and_scripts_are_found_where_tcl_finds_them():
    parts = parse_text("a$b${c d}[e f]$g(h$i)\\$j")
    assert [(part.kind, part.text) for part in parts] == [
        ("text", "a"),
        ("variable", "b"),
        ("variable", "c d"),
        ("script", "e f"),
        ("variable", "g"),
        ("text", "$j"),
    ]
    assert [part.text for part in parts[4].index] == ["h", "i"]
    assert parse_variable("x$ab.", 1)[1] == 4


def test_commands_know_their_lines():
    commands = parse_script("a\n\nb {\n\n}\nc", 10)
    assert [command.line for command in commands] == [10, 12, 15]
    assert commands[1].words[1].literal.line == 12


def test_a_list_may_be_expanded():
    assert [word.expand for word in parse_script("a {*}$b c")[0].words] == [False, True, False]


@pytest.mark.parametrize("script", ["a {b", 'a "b', "a [b", "a ${b"])
def test_what_is_not_closed(script):
    with pytest.raises(TclError):
        parse_script(script)
