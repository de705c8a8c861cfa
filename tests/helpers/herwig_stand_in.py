"""A stand-in for the executable Herwig 7: its command line, its files, and the ways in which it fails.

It knows `--version`, `read FILE.in` and `run FILE.run -N n -s seed -q`. Events are made by Pythia from the LHE file that
the input file names, until n of them have succeeded, as ThePEG does; HepMC is written with Herwig's status codes
(4 beam, 1 final, 2 decayed hadron or tau, 11 the rest) and with the hard partons as they stand in the LHE file.
What it should do comes in environment variables: STAND_IN_MODE, STAND_IN_DROPPED (comma separated indices), and
STAND_IN_FORMAT (of HepMC), STAND_IN_VERSION; STAND_IN_CALLS, a file that every call is noted in; and STAND_IN_CACHE, a
folder in which events are kept, since most tests ask for the same ones. What is slow to import is imported late.
"""

# ruff: noqa: T201 - an executable may print

import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WRITERS = {"GenEvent": "WriterAsciiHepMC2", "GenEventHepMC3": "WriterAscii"}
SETTINGS = (
    "Print:quiet = on",
    "SLHA:verbose = 0",
    "Beams:frameType = 5",
    "Random:setSeed = on",
    "PartonLevel:MPI = off",  # fast
    "ParticleDecays:limitTau0 = on",
)
HARD_STATUS = {-1: 21, 1: 23, 2: 22}
"""Pythia's status of what has this status in the LHE event."""


def main(arguments: list[str]) -> int:
    with Path(os.environ["STAND_IN_CALLS"]).open("a", encoding="utf-8") as calls:
        lhe = Path("events.lhe").read_text() if Path("events.lhe").exists() else ""
        calls.write(json.dumps({"arguments": arguments, "lhe": lhe}) + "\n")
    if arguments == ["--version"]:
        print("Herwig " + os.environ.get("STAND_IN_VERSION", "7.3.0"))
        print("ThePEG 2.3.0")
        return 0
    if arguments[0] == "read":
        return read(Path(arguments[1]))
    assert arguments[0] == "run"
    assert arguments[2::2] == ["-N", "-s", "-q"], arguments
    print("chatter on standard output")
    return run(json.loads(Path(arguments[1]).read_text()), n_events=int(arguments[3]), seed=int(arguments[5]))


def read(path: Path) -> int:
    """Check that objects exist before they are used, and keep what `run` needs."""
    text = path.read_text()
    assert path.suffix == ".in"
    place, known, values = "/", {"/Herwig/Generators/EventGenerator", "/Herwig/Analysis/HepMCFile"}, {}
    for command, *rest in (line.split() for line in text.splitlines() if line):
        if command == "cd":
            place = rest[0]
        elif command == "create":
            known.add(rest[1] if rest[1].startswith("/") else f"{place}/{rest[1]}")
        elif command in ("set", "insert"):
            name, interface = rest[0].split(":")
            name = name if name.startswith("/") else f"{place}/{name}"
            built_in = re.match(r"/Herwig/(Shower|Partons|Decays|Hadronization|Particles)/", name)
            if (name not in known and not built_in) or "NoSuchThing" in name:
                print(f"Error: no object {name} in the repository", file=sys.stderr)
                return 1
            values[interface] = rest[-1]
        elif command == "saverun":
            scan(Path(values["FileName"]))  # ThePEG does so here already
            folder = Path(os.environ.get("ThePEG_RUN_DIR", "."))  # noqa: SIM112 - ThePEG spells it so
            (folder / f"{rest[0]}.run").write_text(json.dumps(values))
    return 0


def scan(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("<LesHouchesEvents version=")
    assert text.count("<event>") == text.count("</event>") > 0


def run(values: dict[str, str], n_events: int, seed: int) -> int:
    mode, path = os.environ.get("STAND_IN_MODE", "ok"), Path(values["Filename"])
    assert int(values["PrintEvent"]) >= n_events
    assert (values["AllowedToReOpen"], values["WeightOption"]) == ("No", "VarNegWeight")
    if mode in ("crash", "segfault"):
        print("Herwig: ThePEG::Exception caught.", file=sys.stderr)
        return 1 if mode == "crash" else os.kill(os.getpid(), signal.SIGSEGV) or 0
    if mode == "no output":
        return 0
    if mode in ("empty", "garbage"):
        path.write_text("" if mode == "empty" else "this is no HepMC\n" * 20)
        return 0
    scan(Path(values["FileName"]))
    made = cached(Path(values["FileName"]), n_events, seed)
    exhausted = len(made) < n_events
    write(path, spoiled(made, mode), os.environ.get("STAND_IN_FORMAT", values["Format"]))
    if mode == "truncated":
        os.truncate(path, path.stat().st_size * 2 // 3)
    if mode == "damaged":
        lines = path.read_text().splitlines(keepends=True)
        third = [i for i, line in enumerate(lines) if line.startswith("E ")][2]
        path.write_text("".join(lines[: third + 20] + lines[third + 40 :]))
    if exhausted:
        print("More events requested than available in LesHouchesReader LHEReader", file=sys.stderr)
    return int(exhausted)


def write(path: Path, events: list[Any], form: str) -> None:
    import pyhepmc.io

    with getattr(pyhepmc.io, WRITERS[form])(str(path)) as writer:
        for event in events:
            writer.write(event)


def spoiled(events: list[Any], mode: str) -> list[Any]:
    changes = {
        "short": lambda: events[:-2],
        "shuffled": lambda: [events[0], events[2], events[1], *events[3:]],
        "duplicated": lambda: [*events[:-1], events[1]],
        "foreign": lambda: [*events[:2], turned(events[2]), *events[3:]],
        "too many": lambda: [*events, events[0]],
    }
    return changes[mode]() if mode in changes else events


def turned(event: Any) -> Any:
    """The event turned by a quarter: sound, but not made from the LHE event."""
    for p in event.particles:
        x, y, z, e = p.momentum
        p.momentum = (-y, x, z, e)
    return event


def cached(path: Path, n_events: int, seed: int) -> list[Any]:
    import pyhepmc

    key = f"{n_events} {seed} {os.environ.get('STAND_IN_DROPPED')} {path.read_text()}"
    cache = Path(os.environ["STAND_IN_CACHE"]) / hashlib.sha256(key.encode()).hexdigest()
    if not cache.exists():
        write(cache, list(generate(path, n_events, seed)), "GenEventHepMC3")
    with pyhepmc.open(str(cache)) as stream:
        return list(stream)


def generate(path: Path, n_events: int, seed: int) -> Iterator[Any]:
    """Events in the order of the file, without those that are to be dropped, until there are enough."""
    import pythia8mc

    dropped = {int(index) for index in os.environ.get("STAND_IN_DROPPED", "").split(",") if index}
    pythia, feed = pythia8mc.Pythia("", False), event_feed(path)
    for line in SETTINGS:
        assert pythia.readString(line)
    pythia.setLHAupPtr(feed)
    assert pythia.init()
    pythia.rndm.init(seed)
    done = 0
    for index, event in enumerate(path.read_text().split("<event>\n")[1:]):
        info, *feed.particles = [
            [float(x) for x in line.split()] for line in event.split("\n</event>")[0].split("\n")
        ]
        feed.scale = info[3]
        if done < n_events and index not in dropped and pythia.next():
            done += 1
            yield gen_event(done, pythia.event, feed.particles)


def event_feed(path: Path) -> Any:
    """What hands `particles`, rows of 13 numbers, to Pythia. Nothing of resim: it reads what resim wrote."""
    import pythia8mc

    beams = [float(x) for x in path.read_text().splitlines()[2].split()]

    class Feed(pythia8mc.LHAup):  # type: ignore[misc]
        particles: list[list[float]]
        scale: float

        def setInit(self) -> bool:  # noqa: N802 - Pythia's name
            self.setBeamA(int(beams[0]), beams[2])
            self.setBeamB(int(beams[1]), beams[3])
            self.setStrategy(int(beams[8]))
            self.addProcess(1, 1.0, 0.0, 1.0)
            return True

        def setEvent(self, process: int = 0) -> bool:  # noqa: N802 - Pythia's name
            self.setProcess(1, 1.0, self.scale, 1 / 128, 0.118)
            for row in self.particles:
                self.addParticle(*map(int, row[:6]), *row[6:])
            return True

    return Feed()


def gen_event(number: int, record: Any, lhe_particles: list[list[float]]) -> Any:
    """The record as a HepMC event; every particle hangs on its first mother."""
    import pyhepmc

    made = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    made.event_number = number
    particles = {i: gen_particle(record[i]) for i in range(1, record.size())}
    hard = [i for i in particles if abs(record[i].status()) in HARD_STATUS.values()]
    for pdg_id, status, *_, px, py, pz, e, m, _time, _spin in lhe_particles:
        wanted = (pdg_id, HARD_STATUS[int(status)])
        i = next(i for i in hard if (record[i].id(), abs(record[i].status())) == wanted)
        hard.remove(i)
        particles[i].momentum, particles[i].generated_mass = (px, py, pz, e), m
    vertices: dict[int, Any] = {}
    for i in range(3, record.size()):
        mother = record[i].mother1()
        if mother not in vertices:
            p = record[i]
            vertices[mother] = pyhepmc.GenVertex((p.xProd(), p.yProd(), p.zProd(), p.tProd()))
            vertices[mother].add_particle_in(particles[mother])
        vertices[mother].add_particle_out(particles[i])
    made.add_tree([particles[1], particles[2]])
    return made


def gen_particle(p: Any) -> Any:
    import pyhepmc

    if p.status() == -12:
        status = 4
    elif p.isFinal():
        status = 1
    else:
        status = 2 if p.isHadron() or p.idAbs() == 15 else 11
    particle = pyhepmc.GenParticle((p.px(), p.py(), p.pz(), p.e()), p.id(), status)
    particle.generated_mass = p.m()
    return particle
