"""What hostile input below 10 MB costs the commands that read it: CPU time and peak memory, one line for each.

    python -m tests.fuzz.bounds [WORD ...]

With words, only the cases whose names hold one of them. Ends with status 1 if one takes more than 10 s or 500 MB.
"""

import gzip
import os
import resource
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from resim.pairfile.mock import write_mock

SECONDS, MEGABYTES = 10, 500
SIZE = 9_900_000
"""Bytes of the largest inputs."""
HEAD = '<LesHouchesEvents version="3.0">\n<init>\n2212 2212 6500. 6500. 0 0 0 0 3 1\n1. 1. 1. 1\n</init>\n'
TAIL = "</LesHouchesEvents>\n"
EVENT = """<event>
4 1 1. 100. .0078 .118
21 -1 0 0 501 502 0. 0. 600. 600. 0. 0. 9.
21 -1 0 0 503 501 0. 0. -600. 600. 0. 0. 9.
21 1 1 2 503 504 600. 0. 0. 600. 0. 0. 9.
21 1 1 2 504 502 -600. 0. 0. 600. 0. 0. 9.
</event>
"""
ALIASES = "a: &a [1,1,1,1]\n" + "".join(
    f"{y}: &{y} [{f'*{x},' * 9}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(f"b{i}: &b{i} {{<<: [*a,*a,*a,*a]}}\n" for i in range(4_000))
GROWING = "set a {1 2 3}\nfor {set i 0} {$i < 3000} {incr i} {lappend a 1 2 3 4 5 6 7 8 9}\n"
FORMULA = """set ExecutionPath {EFlowMerger}
module Efficiency EFlowMerger {
  set InputArray Delphes/stableParticles
  set OutputArray eflow
  set EfficiencyFormula {%s}
}
"""

LHE = {
    "line ends before the root": ("", "\n", SIZE, ""),
    "line ends in the header": ("<LesHouchesEvents>\n<header>", "\n", SIZE, ""),
    "line ends between events": (HEAD, "\n", SIZE, ""),
    "line ends in an event": (HEAD + "<event>", "\n", SIZE, ""),
    "tags between events": (HEAD, "<a/>", SIZE // 4, EVENT + TAIL),
    "angles": (HEAD, "<", SIZE, ""),
    "angles in the header": ("<LesHouchesEvents>\n<header>", "<", SIZE, ""),
    "events": (HEAD, EVENT, SIZE // len(EVENT), TAIL),
    "broken events": (HEAD, "<event>\n1\n</event>\n", SIZE // 19, EVENT + TAIL),
    "weights": (
        HEAD + EVENT[: -len("</event>\n")] + "<rwgt>",
        "<wgt id='1'>1</wgt>",
        95_000,
        "</rwgt></event>" + TAIL,
    ),
    "packed line ends": ("", "\n" * 1_000_000, 2_000, ""),
    "packed line": ("", "x" * 1_000_000, 2_000, ""),
}
"""What comes before, what is repeated how often, and what follows; packed by gzip if the name says so."""
YAML = {
    "open lists": "a: " + "[1," * 60_000,
    "closed lists": "[" * 900 + "]" * 900,
    "values": "- 1\n" * 50_000,
    "aliases": ALIASES,
    "merges": MERGES,
    "digits": "a: " + "9" * 199_000,
    "base 60": "a: " + "1:" * 60_000 + "1",
}
PYTHIA = {
    "comments": "! comment\n" * (SIZE // 10),
    "line ends": "\n" * SIZE,
    "one line": "x" * SIZE,
    "settings": "PartonLevel:MPI = off\n" * (SIZE // 22),
    "open comment": "/*\n" + "x\n" * (SIZE // 2),
}
TCL = {
    "loop": "for {} {1} {} {}",
    "expressions": "for {set i 0} {1} {incr i} {set x [expr {sin($i)*2+1}]}",
    "text": "set a x\nfor {} {1} {} {set a $a$a}",
    "list": "set a {1 2 3}\nfor {} {1} {} {lappend a 1 2 3 4 5 6 7 8 9}",
    "lreplace": GROWING + "for {} {1} {} {set a [lreplace $a 0 0 $i]}",
    "power": "set a 9\nfor {} {1} {} {set a [expr {$a*$a}]}",
    "long expression": "set x [expr {" + "1+" * 200_000 + "1}]",
    "braces": "{" * 480_000,
    "brackets": "set a " + "[set b " * 60_000,
    "parameters": "module A B {\nfor {set i 0} {$i<400000} {incr i} {add EtaPhiBins $i $i}\n}",
    "pairs": "foreach a {" + "1 " * 200_000 + "} {foreach b {1 2 3 4 5 6 7 8 9} {set c [expr {$a+$b}]}}",
    "line ends": "\n" * 490_000,
    "deep formula": FORMULA % ("(" * 9_000 + "1" + ")" * 9_000),
    "long formula": FORMULA % ("pt+" * 4_900 + "1"),
}


def commands(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and command of every case; the inputs are written when it is their turn."""
    sound = folder / "sound.lhe"
    sound.write_text(HEAD + EVENT + TAIL)
    for name, parts in LHE.items():
        lhe = folder / "hostile.lhe"
        _write(lhe, *parts, packed="packed" in name)
        yield f"LHE: {name}", _generate(_card(folder, lhe), "--skip-bad-events")
    for name, content in YAML.items():
        card = folder / "hostile.yaml"
        card.write_text(content)
        yield f"YAML: {name}", _generate(card)
    for what, cases, suffix, stage in (
        ("Pythia", PYTHIA, "cmnd", "views: {{nominal: {{shower: {{card: {path}}}}}}}"),
        ("Tcl", TCL, "tcl", "views: {{nominal: {{}}}}\ndetector: {{card: {path}}}"),
    ):
        for name, content in cases.items():
            path = folder / f"hostile.{suffix}"
            path.write_text(content)
            yield f"{what}: {name}", _generate(_card(folder, sound, stage.format(path=path)))
    inflating = _inflating(folder, factor=1_500)
    for command in ("inspect", "validate", "digest"):
        yield f"HDF5: {command}", ["resim", command, str(inflating)]
    endless = _endless(folder)
    for command in ("inspect", "validate"):
        yield f"HDF5: {command}, a chunk", ["resim", command, str(endless)]


def _write(path: Path, before: str, repeated: str, count: int, after: str, *, packed: bool) -> None:
    """Write text piece by piece: a child's peak memory begins at what its parent holds."""
    with (gzip.open if packed else open)(path, "wb") as stream:
        stream.write(before.encode())
        for _ in range(count):
            stream.write(repeated.encode())
        stream.write(after.encode())


def _card(folder: Path, lhe: Path, stages: str = "views: {nominal: {}}") -> Path:
    card = folder / "card.yaml"
    card.write_text(f"sources:\n- lhe: {lhe}\n  rows: {{21: qcd}}\n{stages}\n")
    return card


def _generate(card: Path, *more: str) -> list[str]:
    return ["resim", "generate", str(card), "-o", str(card.parent / "pairs.h5"), "--force", "-n", "1", *more]


def _inflating(folder: Path, factor: int) -> Path:
    """A pair file whose constituents are `factor` times as many, all alike, padded to what it may inflate to."""
    write_mock(folder / "mock.h5", 200, ("nominal", "seed"))
    path = folder / "inflating.h5"
    with h5py.File(folder / "mock.h5") as mock, h5py.File(path, "w") as file:
        file.attrs.update(mock.attrs)

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                file.require_group(name).attrs.update(item.attrs)
            elif "/constituents/" in name:
                values = np.repeat(item[-1:], factor * len(item))
                file.create_dataset(name, data=values, compression="gzip").attrs.update(item.attrs)
            else:
                item.file.copy(item, file, name)

        mock.visititems(copy)
    with path.open("ab") as stream:
        stream.write(bytes(SIZE - path.stat().st_size))
    return path


def _endless(folder: Path) -> Path:
    """A pair file of which one chunk of gzip goes on for 10 GB."""
    path = write_mock(folder / "endless.h5", 200, ("nominal", "seed"))
    packer, zeros = zlib.compressobj(9), bytes(1_000_000)
    content = b"".join(packer.compress(zeros) for _ in range(10_000)) + packer.flush()
    with h5py.File(path, "r+") as file:
        file["hard_scatter/event"].id.write_direct_chunk((0,), content[: SIZE - 1_000_000])
    return path


def main(words: list[str]) -> int:
    """Run the cases and print what they cost."""
    programs, costly = Path(sys.executable).parent, 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (program, *arguments) in commands(Path(folder)):
            if words and not any(word in name for word in words):
                continue
            command = [str(programs / program), *arguments]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, _, used = os.wait4(process.pid, 0)
            seconds, megabytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
            over = seconds > SECONDS or megabytes > MEGABYTES
            costly += over
            remark = "  more than promised" if over else ""
            print(f"{name:36s} {seconds:5.1f} s {megabytes:5.0f} MB{remark}", flush=True)
    return int(costly > 0)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))  # of each child, which inherits it
    sys.exit(main(sys.argv[1:]))
