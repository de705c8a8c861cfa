"""Real inputs, made once a session: shipped MadGraph events and a small pair file made from them."""

import tempfile
from pathlib import Path

import pytest

from resim.card.run_options import RunOptions
from resim.run.generate import generate
from resim.shower.herwig import herwig_for
from tests.helpers.chain import CARD, HARD_SCATTERS, N_EVENTS, REPOSITORY
from tests.helpers.programs import install_stand_in


@pytest.fixture(scope="session")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A card with two sources and one view of every kind."""
    path = tmp_path_factory.mktemp("card") / "card.yaml"
    files = {"hbb": HARD_SCATTERS / "hbb_j.lhe.gz", "qcd": HARD_SCATTERS / "qcd_jj.lhe.gz"}
    path.write_text(CARD.format(**files, monash=REPOSITORY / "cards/pythia/monash.cmnd"))
    return path


@pytest.fixture(scope="session")
def pairs(card: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pair file of that card, made with one worker."""
    path = tmp_path_factory.mktemp("pairs") / "pairs.h5"
    generate(card, path, RunOptions(n_events=N_EVENTS, quiet=True))
    return path


@pytest.fixture
def qcd_text() -> str:
    """Three di-jet events as MadGraph wrote them, a whole file."""
    import gzip

    with gzip.open(HARD_SCATTERS / "qcd_jj.lhe.gz", "rt") as stream:
        text = stream.read()
    return "</event>".join(text.split("</event>")[:3]) + "</event>\n</LesHouchesEvents>\n"


@pytest.fixture(scope="session")
def pythia_lhe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight di-jet events written by Pythia's own LHEF writer: a real file of another generator, with SCALUP = 0."""
    import pythia8mc

    pythia = pythia8mc.Pythia("", False)
    settings = ("HardQCD:all = on", "PhaseSpace:pTHatMin = 350", "PartonLevel:all = off", "Random:setSeed = on")
    for line in ("Print:quiet = on", *settings):
        assert pythia.readString(line)
    assert pythia.init()
    path = tmp_path_factory.mktemp("pythia") / "pythia.lhe"
    info = pythia.infoPython()  # a copy, which the writer keeps a bare pointer to: it must stay alive
    writer = pythia8mc.LHAupFromPYTHIA8(pythia.process, info)
    assert writer.openLHEF(str(path))
    assert writer.setInit()
    assert writer.initLHEF()
    for _ in range(8):
        assert pythia.next()
        assert writer.setEvent()
        assert writer.eventLHEF()
    assert writer.closeLHEF(True)
    return path


@pytest.fixture(scope="session")
def herwig_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("events")


@pytest.fixture
def stand_in(tmp_path, monkeypatch, herwig_cache):
    """Puts the stand-in on PATH; scratch folders are made in `tmp_path / "scratch"`."""
    script = install_stand_in(tmp_path / "bin/Herwig", "herwig_stand_in")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    monkeypatch.setenv("STAND_IN_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("STAND_IN_CACHE", str(herwig_cache))
    monkeypatch.setenv("ThePEG_RUN_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    herwig_for.cache_clear()
    return tmp_path
