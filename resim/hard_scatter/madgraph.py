"""Hard scatters from MadGraph5_aMC@NLO (arXiv:1405.0301), run without questions to a user.

MadGraph always ends with exit status 0, asks questions where it is not sure, and overwrites runs of the
same name. So it runs in a folder of its own, reads a command file and no terminal, and the event file and the log say
whether it succeeded.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from resim.common.errors import InputError
from resim.common.external import first_error
from resim.hard_scatter.lhe_text import open_lhe
from resim.hard_scatter.process_card import MadGraphProcess

PROGRAM: Final = "mg5_aMC"
_FAILURE: Final = re.compile("InvalidCmd|interrupted|Error detected|zero cross section", re.IGNORECASE)
_SETTING: Final = re.compile(r"\s*([^#!]*?)\s*=\s*(\w+)")
"""A line of MadGraph's run card: `value = name ! comment`."""
_TRUE, _FALSE = ("true", "t", "1"), ("false", "f", "0")


def find_madgraph() -> str:
    """Path of the program.

    Raises:
        InputError: it is not on PATH.
    """
    if (program := shutil.which(PROGRAM)) is None:
        raise InputError(
            f"{PROGRAM}: not on PATH; install MadGraph5_aMC@NLO and add its folder there, or use `backend: pythia`"
        )
    return program


def run_madgraph(card: MadGraphProcess, n_events: int, seed: int, scratch: Path, output: Path) -> Path:
    """Run MadGraph and return the event file that it made, somewhere below `scratch`; `output` receives what it says.

    Raises:
        InputError: MadGraph is not installed, made no event file, or did not take the settings of the card.
    """
    commands = scratch / "commands.mg5"
    commands.write_text("\n".join((*commands_for(card, n_events, seed), "")), encoding="utf-8")
    _run([find_madgraph(), str(commands)], scratch, output)
    said = output.read_text(encoding="utf-8", errors="replace")
    if _FAILURE.search(said):
        raise InputError(f"MadGraph failed: {first_error(said)!r}; see its log")
    made = sorted(scratch.glob("process/Events/*/unweighted_events.lhe*"))
    if len(made) != 1:
        raise InputError(f"MadGraph made {len(made)} event files, want one; see its log")
    _check_run_card(card, n_events, seed, made[0])
    return made[0]


def commands_for(card: MadGraphProcess, n_events: int, seed: int) -> Iterator[str]:
    """The lines of MadGraph's command file."""
    options = {"automatic_html_opening": False, "auto_update": 0, "notification_center": False} | card.options
    yield from (f"set {name} {value} --no_save" for name, value in options.items())
    yield from card.process
    yield "output process -nojpeg"
    yield "launch process --name=run_01"
    yield "shower=OFF"
    yield "done"  # with the choice of programs; what follows edits the cards
    yield from (f"set run_card {name} {value}" for name, value in _run_card(card, n_events, seed).items())
    if card.custom_fcts is not None:
        yield f"set run_card custom_fcts ['{card.custom_fcts}']"
    yield "done"


def _run_card(card: MadGraphProcess, n_events: int, seed: int) -> dict[str, bool | int | float | str]:
    return {**card.run_card, "nevents": n_events, "iseed": seed}


def _run(command: list[str], folder: Path, output: Path) -> None:
    """Run to the end; whoever interrupts this ends MadGraph and everything that it has started."""
    with output.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _check_run_card(card: MadGraphProcess, n_events: int, seed: int, made: Path) -> None:
    """MadGraph passes over settings that it does not know; the banner of the event file says what it took."""
    taken = _banner(made)
    if not taken:
        raise InputError(f"{made.name}: has no <MGRunCard> in its header, so nobody knows which settings hold")
    for name, value in _run_card(card, n_events, seed).items():
        shown = taken.get(name.lower())
        if shown is None:
            raise InputError(f"run_card.{name}: is not in MadGraph's run card; correct or remove it")
        if not _same(str(value), shown):
            raise InputError(f"run_card.{name}: asked for {value!r}, MadGraph took {shown!r}; correct the card")
    if card.custom_fcts is not None and card.custom_fcts.name not in taken.get("custom_fcts", ""):
        raise InputError(f"custom_fcts: MadGraph did not take {card.custom_fcts}; it needs MadGraph 3.5 or later")


def _banner(made: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    inside = False
    with open_lhe(made) as stream:
        for raw in stream:
            line = raw.decode("latin-1")
            if "<init>" in line or "</MGRunCard>" in line:
                break
            if inside and (setting := _SETTING.match(line)):
                found[setting[2].lower()] = setting[1]
            inside = inside or "<MGRunCard>" in line
    return found


def _same(asked: str, taken: str) -> bool:
    a, b = (re.sub(r"[\s\[\]{}'\"]", "", text).lower() for text in (asked, taken))
    try:
        return abs(float(a) - float(b)) <= 1e-6 * abs(float(a))
    except ValueError:
        return a == b or any(a in words and b in words for words in (_TRUE, _FALSE))
