"""Lists of Tcl as text and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.common.limits import TCL_DEPTH
from resim.common.tcl.values import TclError, TclList, items_of, split_list, text_of

TEXT = st.text(alphabet='ab {}[]$;"\\#\n\tü', max_size=8)


@given(st.lists(TEXT, max_size=6))
def test_elements_come_back_from_the_text_of_a_list(elements):
    assert split_list(text_of(TclList(elements))) == elements


@pytest.mark.parametrize(
    ("text", "elements"),
    [
        ("  a\tb\n", ["a", "b"]),
        ("{a {b c}} d", ["a {b c}", "d"]),
        ('"a b" c', ["a b", "c"]),
        ("a\\ b", ["a b"]),
        ("{}", [""]),
        ("", []),
    ],
)
def test_known_lists(text, elements):
    assert list(items_of(text)) == elements


@pytest.mark.parametrize(("text", "message"), [("{a", "open brace"), ('"a', "open quote"), ("{a}b", "braces")])
def test_text_that_is_no_list(text, message):
    with pytest.raises(TclError, match=message):
        split_list(text)


def test_nesting_has_a_limit():
    nested = TclList([])
    for _ in range(TCL_DEPTH + 2):
        nested = TclList([nested])
    with pytest.raises(TclError, match="nested deeper"):
        text_of(nested)
