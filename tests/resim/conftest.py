"""Real inputs, made once a session: shipped MadGraph events and a small pair file made from them."""

import stat
import sys
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from resim.card.run_options import RunOptions
from resim.run.generate import generate
from resim.shower.herwig import herwig_for

REPOSITORY = Path(__file__).parents[2]
HARD_SCATTERS = REPOSITORY / "cards/hard_scatter"

CARD = """
sources:
  - {{lhe: {hbb}, rows: {{25: hbb}}}}
  - {{lhe: {qcd}, rows: {{21: qcd_g, 1: qcd_q, 2: qcd_q, 3: qcd_q, 4: qcd_q}}}}
select: {{parton_pt_min: 300, parton_abs_eta_max: 2.5}}
views:
  nominal:  {{shower: {{generator: pythia8, card: {monash}}}}}
  seed:     {{from: nominal, freeze: hard_scatter}}
  rehadron: {{from: nominal, freeze: parton_shower}}
  fsr_up:   {{from: nominal, freeze: hard_scatter, shower: {{mu_r_fsr: 0.5}}}}
"""
N_EVENTS = 16


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


def run_cli(*arguments: object) -> Result:
    """Run `resim` in this process; errors are raised as they are."""
    from resim.cli import cli

    return CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=True)


@pytest.fixture(scope="session")
def herwig_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("events")


@pytest.fixture
def stand_in(tmp_path, monkeypatch, herwig_cache):
    """Puts the stand-in on PATH; scratch folders are made in `tmp_path / "scratch"`."""
    script = tmp_path / "bin/Herwig"
    script.parent.mkdir()
    script.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path[:0] = [{str(REPOSITORY)!r}]\n"
        "from tests.helpers.herwig_stand_in import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    monkeypatch.setenv("STAND_IN_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("STAND_IN_CACHE", str(herwig_cache))
    monkeypatch.setenv("ThePEG_RUN_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    herwig_for.cache_clear()
    return tmp_path
