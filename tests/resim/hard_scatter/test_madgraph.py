"""MadGraph is not installed here; a program of its name behaves as it does, in success and in its ways to fail."""

import gzip
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import survey
from resim.hard_scatter.madgraph import commands_for
from resim.hard_scatter.make_lhe import HardScatterOptions, make_hard_scatters
from resim.hard_scatter.process_card import load_process_card
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY, run_cli
from tests.helpers.programs import install_program
from tests.helpers.waiting import wait_until

STAND_IN = '''"""What MadGraph does with a command file: always exit status 0, and events where it puts them."""
import gzip, os, re, subprocess, sys, time
from pathlib import Path

mode = {mode!r}
commands = Path(sys.argv[1]).read_text().splitlines()
card = {{"ebeam1": "6500.0", "ebeam2": "6500.0", "ptj": "20.0", "use_syst": "True"}}
card |= dict(line.split(None, 3)[2:] for line in commands if line.startswith("set run_card"))
Path({tmp!r}, "commands").write_text("\\n".join(commands))
print("generating", card["nevents"], "events with seed", card["iseed"], flush=True)
if mode == "prompts":
    print("Do you want to install it? [y, n]", flush=True)
    assert sys.stdin.read() == ""  # blocks for ever on a terminal or an open pipe
if mode == "hangs":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    Path({tmp!r}, "pids.new").write_text(f"{{os.getpid()}} {{child.pid}}")
    Path({tmp!r}, "pids.new").rename(Path({tmp!r}, "pids"))
    child.wait()
if mode == "fails":
    print("Command \\"generate_events run_01\\" interrupted with error:\\nInvalidCmd : No model")
    sys.exit(0)
if mode == "zero":
    print("Survey return zero cross section.")
    sys.exit(0)
if mode == "nothing":
    sys.exit(0)
if mode == "ignores_ptj":
    card["ptj"] = "20.0"
if mode == "knows_no_ptj":
    del card["ptj"]
n = int(card["nevents"]) - (5 if mode == "fewer" else 0)
text = gzip.open({sample!r}, "rt").read()
head, *events = text.split("<event>")
banner = "<MGRunCard>\\n# comment = nothing\\n" + "".join(f"  {{v}} = {{k}} ! why\\n" for k, v in card.items())
head = head.replace("<header>", "<header>\\n<MG5ProcCard>\\n</MG5ProcCard>\\n" + banner + "</MGRunCard>")
if mode == "no_banner":
    head = head.replace("MGRunCard", "Other")
for run in ("run_01", "run_02") if mode == "two_runs" else ("run_01",):
    place = Path("process", "Events", run)
    place.mkdir(parents=True)
    body = "".join("<event>" + event for event in events[:n]).replace("</LesHouchesEvents>", "")
    end = "" if mode == "truncated" else "</LesHouchesEvents>\\n"
    with gzip.open(place / "unweighted_events.lhe.gz", "wt") as stream:
        stream.write(head + body + end)
'''
CARD = """
backend: madgraph
n_events: 30
process: [import model sm, generate p p > j j]
run_card: {ptj: 250, use_syst: false}
require: [{pdg_ids: [1, 2, 3, 4, 21], pt_min: 250}]
"""


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(CARD)
    return path


@pytest.fixture
def madgraph(tmp_path, monkeypatch):
    """Installs the stand-in in one of its modes."""

    def install(mode: str = "ok", sample: str = "qcd_jj") -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        events = str(HARD_SCATTERS / f"{sample}.lhe.gz")
        program = install_program(folder / "mg5_aMC", STAND_IN.format(mode=mode, sample=events, tmp=str(tmp_path)))
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return program

    return install


def make(card, output, **options):
    return make_hard_scatters(card, output, HardScatterOptions(quiet=True, **options))


@pytest.mark.parametrize("name", ["made.lhe.gz", "made.lhe"])
def test_events_arrive_as_madgraph_wrote_them(card, madgraph, tmp_path, name):
    madgraph()
    output = tmp_path / name
    found = make(card, output, n_events=20, seed=7)
    assert (found.n_events, found.generator) == (20, "MadGraph5_aMC@NLO 3.5.7")
    assert survey(output) == found
    content = output.read_bytes()
    assert (content[:2] == b"\x1f\x8b") == name.endswith(".gz")
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    assert "7 = iseed" in text
    assert "250 = ptj" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["bin", "card.yaml", "commands", name])


def test_command_file(card):
    assert list(commands_for(load_process_card(card), 12, 34)) == [
        "set automatic_html_opening False --no_save",
        "set auto_update 0 --no_save",
        "set notification_center False --no_save",
        "import model sm",
        "generate p p > j j",
        "output process -nojpeg",
        "launch process --name=run_01",
        "shower=OFF",
        "done",
        "set run_card ptj 250",
        "set run_card use_syst False",
        "set run_card nevents 12",
        "set run_card iseed 34",
        "done",
    ]


def test_own_cuts_go_by_their_full_path(madgraph, tmp_path, monkeypatch):
    madgraph(sample="top")
    found = make(REPOSITORY / "cards/madgraph/top.yaml", tmp_path / "top.lhe.gz", n_events=10)
    assert 6 in found.pdg_ids
    cuts = REPOSITORY / "cards/madgraph/top_pt.f"
    assert f"set run_card custom_fcts ['{cuts}']" in (tmp_path / "commands").read_text()


@pytest.mark.parametrize("name", ["hbb_j", "qcd_jj", "wqq_z", "top", "tautau", "dijet_soft"])
def test_shipped_cards_accept_the_events_that_they_describe(madgraph, tmp_path, name):
    madgraph(sample=name)
    assert make(REPOSITORY / f"cards/madgraph/{name}.yaml", tmp_path / "made.lhe.gz", n_events=50).n_events == 50


@pytest.mark.slow
def test_questions_are_answered_with_end_of_file(card, madgraph, tmp_path):
    madgraph("prompts")
    command = [sys.executable, "-c", "from resim.cli import main; main()"]
    arguments = ["hard-scatter", str(card), "-o", str(tmp_path / "made.lhe.gz")]
    with subprocess.Popen(
        [*command, *arguments], stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # an open pipe that never ends
        assert process.wait(60) == 0
        assert process.stdout.read() == f"{tmp_path / 'made.lhe.gz'}: 30 events of MadGraph5_aMC@NLO 3.5.7\n"
        assert "MadGraph runs; it writes to" in process.stderr.read()


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("fails", "MadGraph failed: 'InvalidCmd"),
        ("zero", "MadGraph failed: 'Survey return zero cross section.'"),
        ("nothing", "MadGraph made 0 event files, want one"),
        ("two_runs", "MadGraph made 2 event files, want one"),
        ("fewer", "the generator made 25 of 30 events; ask for fewer with -n, or ease the cuts"),
        ("truncated", "truncated after event 29"),
        ("no_banner", "no <MGRunCard> in its header"),
        ("ignores_ptj", "run_card.ptj: asked for 250, MadGraph took '20.0'"),
        ("knows_no_ptj", "run_card.ptj: is not in MadGraph's run card"),
    ],
)
def test_failures_are_seen_though_the_exit_status_is_0(card, madgraph, tmp_path, mode, message):
    madgraph(mode)
    output = tmp_path / "made.lhe.gz"
    with pytest.raises(InputError, match=message) as caught:
        make(card, output, seed=5)
    log = tmp_path / "made.lhe.gz.log"
    assert str(caught.value).startswith(f"{card}: ")
    assert str(caught.value).endswith(f"(log: {log})")
    assert "\n" not in str(caught.value)
    assert "generating 30 events with seed 5" in log.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "card.yaml", "commands", log.name]


def test_a_cut_that_did_not_act_is_seen_in_the_events(card, madgraph, tmp_path):
    madgraph(sample="dijet_soft")
    with pytest.raises(
        InputError, match=r"event \d+: particle .* required are at least 250.0 GeV, so the cut did not"
    ):
        make(card, tmp_path / "made.lhe")


def test_beams_of_the_events_are_those_of_the_card(card, madgraph, tmp_path):
    madgraph()
    card.write_text(CARD.replace("ptj", "ebeam1: 7000, ptj"))
    with pytest.raises(InputError, match=r"beams of \(6500.0, 6500.0\) GeV, the card wants \(7000.0, 6500.0\)"):
        make(card, tmp_path / "made.lhe")


def test_a_failure_leaves_the_earlier_file(card, madgraph, tmp_path):
    output = tmp_path / "made.lhe.gz"
    madgraph()
    make(card, output)
    before = output.read_bytes()
    madgraph("fails")
    (tmp_path / "made.lhe.gz.log").write_text("of long ago")
    with pytest.raises(InputError, match="exists already; choose another output, or --force"):
        make(card, output)
    with pytest.raises(InputError, match="MadGraph failed"):
        make(card, output, force=True)
    assert output.read_bytes() == before
    assert "of long ago" not in (tmp_path / "made.lhe.gz.log").read_text()
    madgraph()
    make(card, output, force=True, n_events=3)
    assert survey(output).n_events == 3
    assert not (tmp_path / "made.lhe.gz.log").exists()


def test_without_madgraph_the_remedy_is_said(card, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run_cli("hard-scatter", card, "-o", tmp_path / "made.lhe", "--quiet")
    assert isinstance(result.exception, InputError)
    assert "mg5_aMC: not on PATH; install MadGraph5_aMC@NLO" in str(result.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.yaml"]


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_madgraph_and_what_it_started(card, madgraph, tmp_path, sent):
    madgraph("hangs")
    # A shell starts background jobs with SIGINT ignored, and children inherit that.
    code = "import signal; signal.signal(2, signal.default_int_handler); from resim.cli import main; main()"
    command = [sys.executable, "-c", code, "hard-scatter", str(card), "-o", str(tmp_path / "made.lhe"), "--quiet"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until((tmp_path / "pids").exists)
            pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
            process.send_signal(sent)
            _, message = process.communicate(timeout=30)
        finally:
            process.kill()  # else a test that has failed would wait for it
    assert process.returncode == 130
    assert message == "resim: interrupted\n"
    wait_until(lambda: not any(map(runs, pids)), 20)
    assert not (tmp_path / "made.lhe").exists()
