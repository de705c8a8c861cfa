"""Evaluate a Delphes card in a safe Tcl interpreter and print what it defines as JSON.

`resim.detector.card` runs this file as a program of its own, so that a card can neither hang the caller (one bignum
operation cannot be interrupted from within Tcl) nor take its memory: the process limits itself before it looks at the
card. The interpreter is a safe one: it has no files, sockets, processes or channels.
"""

import json
import re
import resource
import sys
import tkinter
from typing import Any

_MEMORY_BYTES = 1 << 30
_RECURSION_LIMIT = 200
_PROLOGUE = """
proc add {name args} { upvar 1 $name list; lappend list {*}$args }
proc module {class name {body {}}} {
  lappend ::resim::modules $class $name [dict get [info frame -1] line]
  namespace eval ::$name $body
}
proc source {name} { error "source $name: a card is read without access to files; paste the lines of $name into it" }
namespace eval ::resim { variable modules {} }
rename after {}; rename vwait {}; rename update {}; rename package {}
"""
_IN_MODULE = re.compile(r'\(in namespace eval "::(.+?)" script line (\d+)\)')


def evaluate(text: str, seconds: int) -> dict[str, Any]:
    """The execution path and the modules of a card, or its error.

    Args:
        text: the card.
        seconds: time that the card may take.

    Returns:
        `{"path": Tcl list or None, "modules": [{"kind", "name", "line", "parameters": {name: value}}]}`, or
        `{"error": message, "line": number or None}`.
    """
    tcl = tkinter.Tcl()
    tcl.wantobjects(False)  # values as strings, as the card wrote them
    tcl.eval("interp create -safe card")
    tcl.eval(f"interp recursionlimit card {_RECURSION_LIMIT}")
    _in_card(tcl, _PROLOGUE)
    tcl.eval(f"interp limit card time -seconds [expr {{[clock seconds] + {seconds}}}]")
    try:  # the card's own `catch` knows the line of an error, but cannot catch the end of its time
        failed = _in_card(tcl, ["catch", text, "::resim::message", "::resim::options"]) != "0"
    except tkinter.TclError as error:
        return {"error": str(error), "line": None}
    modules = _modules(tcl)
    if failed:
        return {"error": _in_card(tcl, "set ::resim::message"), "line": _error_line(tcl, modules)}
    path = _in_card(tcl, "if {[info exists ::ExecutionPath]} {set ::ExecutionPath}")
    return {"path": path, "modules": modules}


def _in_card(tcl: Any, command: str | list[str]) -> str:
    """Result of a command in the interpreter of the card."""
    return str(tcl.call("interp", "eval", "card", command))


def _modules(tcl: Any) -> list[dict[str, Any]]:
    flat = tcl.splitlist(_in_card(tcl, "set ::resim::modules"))
    return [
        {"kind": kind, "name": name, "line": int(line), "parameters": _parameters(tcl, name)}
        for kind, name, line in zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    ]


def _parameters(tcl: Any, module: str) -> dict[str, str]:
    variables = tcl.splitlist(_in_card(tcl, ["info", "vars", f"::{module}::*"]))
    scalars = [name for name in variables if _in_card(tcl, ["array", "exists", name]) == "0"]
    return {name.rsplit("::", 1)[1]: _in_card(tcl, ["set", name]) for name in scalars}


def _error_line(tcl: Any, modules: list[dict[str, Any]]) -> int:
    """Line of the card where Tcl stopped: inside a module's body, or at the top."""
    found = _IN_MODULE.search(_in_card(tcl, "dict get $::resim::options -errorinfo"))
    if found and modules:
        return int(modules[-1]["line"]) + int(found[2]) - 1
    return int(_in_card(tcl, "dict get $::resim::options -errorline"))


def main() -> None:
    """Read a card from stdin; the argument is its time in seconds."""
    seconds = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds + 2, seconds + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    json.dump(evaluate(sys.stdin.buffer.read().decode(), seconds), sys.stdout)


if __name__ == "__main__":
    main()
