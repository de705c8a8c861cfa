"""List commands of Tcl; values as Tcl 8.6 gives them."""

import pytest

from resim.common.tcl.lists import LIST_COMMANDS, want
from resim.common.tcl.values import TclError, TclList, text_of


def call(name, *arguments):
    return text_of(LIST_COMMANDS[name](arguments))


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("llength", ("a {b c} d",), "3"),
        ("llength", (TclList(["a b"]),), "1"),
        ("lindex", ("a b c", "end-1"), "b"),
        ("lindex", ("a b c", "1+1"), "c"),
        ("lindex", ("a {b c}", "1", "0"), "b"),
        ("lindex", ("a", "5"), ""),
        ("lreplace", ("a b c d", "1", "2", "x"), "a x d"),
        ("lreplace", ("a b", "end", "end"), "a"),
        ("lreplace", ("a b", "1", "0", "x"), "a x b"),
        ("concat", (" a b ", "", "{c d}"), "a b {c d}"),
        ("concat", (TclList(["a b"]), "c"), "{a b} c"),
        ("list", ("a b", ""), "{a b} {}"),
    ],
)
def test_known_values(name, arguments, value):
    assert call(name, *arguments) == value


@pytest.mark.parametrize("index", ["first", "1.5", "end-x", "1+"])
def test_what_is_no_index(index):
    with pytest.raises(TclError, match="bad index"):
        call("lindex", "a b", index)


def test_the_number_of_arguments_is_checked():
    assert want(["a"], 1, None, "x") == ["a"]
    with pytest.raises(TclError, match='should be "llength list"'):
        call("llength", "a", "b")
