"""The part of Tcl that cards use, against known answers and, where this Python has it, against Tcl itself."""

import contextlib
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.common.tcl.interpreter import Interpreter
from resim.common.tcl.values import TclError, TclList, split_list, text_of


def run(script: str) -> str:
    return text_of(Interpreter().run(script))


def tcl():
    """An interpreter of Tcl itself; Debian's Python comes without, and then the known answers have to do."""
    tkinter = pytest.importorskip("tkinter", reason="this Python has no Tcl to compare with")
    interpreter = tkinter.Tcl()
    interpreter.wantobjects(False)
    return interpreter


KNOWN = {
    "set a 1; set b $a": "1",
    "set a {b c}; set d x$a": "xb c",
    "set a(1) 5; set i 1; set b $a($i)": "5",
    "set ab 3; set c ${ab}x": "3x",
    'set a "x[expr {1 + 2}]y"': "x3y",
    "set a \\x41\\u00e9\\101\\n": "A\u00e9A\n",
    "set a {x\\\n   y}": "x y",
    "# a comment \\\n that goes on\nset a 1": "1",
    "set a 1 ;# a comment": "1",
    "expr {7 / 2}": "3",
    "expr {-7 / 2}": "-4",
    "expr {-7 % 3}": "2",
    "expr {7.0 / 2}": "3.5",
    "expr {2 ** 3 ** 2}": "512",
    "expr {pow(2, 3)}": "8.0",
    "expr {1e-5}": "1e-5",
    "expr {10 == 10.0 && 0x1f == 31}": "1",
    "expr {010}": "8",
    "expr {1 ? 2 : [nothing]}": "2",
    "expr {0 && [nothing]}": "0",
    "expr {{a} eq {a}}": "1",
    "expr {acos(-1)}": "3.141592653589793",
    "expr {round(2.5) + round(-2.5)}": "0",
    "expr {int(-3.7)}": "-3",
    "set x 3; expr $x * 2": "6",
    "for {set i 0} {$i < 3} {incr i 2} {lappend l $i}; set l": "0 2",
    "foreach {a b} {1 2 3} c {x y z} {lappend l $a$b$c}; set l": "12x 3y z",
    "if {0} {set a 1} elseif {1} {set a 2} else {set a 3}": "2",
    "if 0 then {set a 1} {set a 3}": "3",
    "list a {b c} {} \\{": "a {b c} {} \\{",
    "llength {a {b c} d}": "3",
    "lindex {a {b c} d} 1 end": "c",
    "lindex {a b} 7": "",
    "lreplace {a b c d} 1 end-1 x": "a x d",
    "concat a { b c } {d}": "a b c d",
    "concat [list a] [list {b c}]": "a {b c}",
    "list {*}{a b} c": "a b c",
}


@pytest.mark.parametrize("script", KNOWN)
def test_known_answers(script):
    assert run(script) == KNOWN[script]


def test_known_answers_are_those_of_tcl():
    interpreter = tcl()
    for script, answer in KNOWN.items():
        assert str(interpreter.eval(f"catch {{unset l a}}; namespace eval fresh {{\n{script}\n}}")) == answer, script
        interpreter.eval("namespace delete fresh")


WRONG = [
    "set", "set a b c", "set a $nothing", "set a {", 'set a "', "set a [list", "set a {b}c", 'set a "b"c', "nothing", "incr a x", "expr {1 +}",
    "expr {1 / 0}", "expr {sqrt(-1)}", "expr {no(1)}", "expr {sin()}", "expr {sin(1, 2)}", "expr {a + 1}", "expr {08}",
    "expr {1.5 % 2}", "expr {1 << -1}", "expr {0 ** -1}", "foreach {} {1} {}", "foreach a {1}", "if 1", "if x {}", "llength {a {b}", "llength {{a}b}",
    "lindex {a} x", "for {} {x} {} {}", "lreplace {a}", "set a ${b", "set a $b(1", "expr {(1}", "expr {1)}", "expr {\"a}", "lappend",
]  # fmt: skip


@pytest.mark.parametrize("script", WRONG)
def test_what_is_wrong_is_said(script):
    with pytest.raises(TclError) as error:
        run(script)
    assert error.value.line == 1
    assert "\n" not in str(error.value)


def test_what_is_wrong_is_wrong_for_tcl_too():
    interpreter = tcl()
    for script in WRONG:
        assert interpreter.eval(f"catch [list namespace eval fresh {text_of(TclList([script]))}]") == "1", script
        interpreter.eval("catch {namespace delete fresh}")


@pytest.mark.parametrize("script", ["expr {log(0)}", "expr {1e300 * 1e300}", "expr {2 ** 300}", "expr {1 << 300}"])
def test_values_that_no_card_needs_are_refused(script):
    with pytest.raises(TclError, match=r"not finite|bits"):
        run(script)


def test_errors_know_their_line():
    with pytest.raises(TclError) as error:
        run("set a 1\nfor {set i 0} {$i < 2} {incr i} {\n  set b 2\n  set c $nothing\n}\n")
    assert error.value.line == 4


def test_a_list_is_not_changed_through_another_name():
    assert run("set a [list 1 2]; set b $a; lappend a 3; list $a $b") == "{1 2 3} {1 2}"
    assert run("set a [list 1 2]; set b [list $a $a]; lappend a 3; set b") == "{1 2} {1 2}"


elements = st.text(alphabet='ab1 {}[]\\"$;#\n\t', max_size=8)


@pytest.mark.slow
@given(st.lists(elements, max_size=6))
def test_lists_and_text_are_the_same(items):
    assert split_list(text_of(TclList(items))) == items


@given(st.lists(elements, max_size=6))
def test_tcl_reads_the_lists_that_are_written(items):
    assert list(tcl().splitlist(text_of(TclList(items)))) == items


@given(st.text(alphabet='ab {}\\"\n', max_size=12))
def test_tcl_splits_lists_alike(text):
    interpreter = tcl()
    try:
        ours = split_list(text)
    except TclError:
        assert interpreter.eval(f"catch {{llength {text_of(TclList([text]))}}}") == "1"
    else:
        assert ours == list(interpreter.splitlist(text))


numbers = st.one_of(
    st.integers(-1000, 1000).map(str),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: repr(abs(x)) if abs(x) >= 1e-300 else "0.0"),
)
operators = st.sampled_from(["+", "-", "*", "/", "%", "**", "<", ">=", "==", "!=", "&&", "||", "<<", "&", "|", "^"])
functions = st.sampled_from(["abs", "sqrt", "int", "round", "floor", "ceil", "exp", "double", "sin", "!", "-", "~"])


def combine(children):
    binary = st.tuples(children, operators, children).map(lambda t: f"({t[0]} {t[1]} {t[2]})")
    bare = st.tuples(children, operators, children).map(" ".join)
    call = st.tuples(functions, children).map(lambda t: f"{t[0]}({t[1]})")
    choice = st.tuples(children, children, children).map(lambda t: f"({t[0]} ? {t[1]} : {t[2]})")
    return st.one_of(binary, bare, call, choice)


@given(st.recursive(numbers, combine, max_leaves=8))
def test_tcl_computes_the_same(expression):
    try:
        ours = run(f"expr {{{expression}}}")
    except TclError as error:
        if not re.search("bits|finite|divide by zero", str(error)):  # Tcl has infinite numbers, and larger ones
            assert tcl().eval(f"catch {{expr {{{expression}}}}}") == "1"
        return
    theirs = str(tcl().eval(f"expr {{{expression}}}"))
    assert ours == theirs or math.isclose(float(ours), float(theirs), rel_tol=1e-15)


scripts = st.text(alphabet='set a1$[]{}"\\;\n+*(expr)list#', max_size=60)


@given(scripts)
def test_nothing_but_an_error_of_tcl_comes_of_any_text(script):
    with contextlib.suppress(TclError):
        run(script)
