"""Delphes cards as Tcl itself evaluates them."""

from pathlib import Path

import pytest

from resim.card.delphes_card import evaluate_card
from resim.common.tcl.values import text_of

CARDS = sorted((Path(__file__).parents[3] / "cards/delphes").glob("*.tcl"))
DELPHES = """
proc add {name args} { upvar 1 $name list; lappend list {*}$args }
proc module {class name {body {}}} { lappend ::modules $class $name; namespace eval ::$name $body }
"""


@pytest.mark.slow
@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_every_parameter_is_what_tcl_makes_of_it(path):
    tcl = pytest.importorskip("tkinter", reason="this Python has no Tcl to compare with").Tcl()
    tcl.wantobjects(False)
    tcl.eval(DELPHES + path.read_text())
    ours = evaluate_card(path)
    assert text_of(ours.path) == tcl.eval("set ::ExecutionPath")
    modules = tcl.splitlist(tcl.eval("set ::modules"))
    assert [(m.kind, m.name) for m in ours.modules.values()] == list(zip(modules[::2], modules[1::2], strict=True))
    for name, module in ours.modules.items():
        theirs = {
            v.rpartition("::")[2]: tcl.eval(f"set {v}") for v in tcl.splitlist(tcl.eval(f"info vars ::{name}::*"))
        }
        assert {key: text_of(value) for key, value in module.parameters.items()} == theirs
