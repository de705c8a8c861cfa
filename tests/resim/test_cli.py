import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

import resim
from jetssl.cli import jetssl
from resim.cli import cli, main
from resim.common.commandline import END_OF_JOB
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY, run_cli
from tests.helpers.locks import held_by_another_process

RESIM = [sys.executable, "-c", "from resim.cli import main; main()"]


def start(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run([*RESIM, *map(str, arguments)], capture_output=True, text=True, cwd=REPOSITORY, check=False)


@pytest.fixture
def run(capfd, monkeypatch):
    """Run the command in this process, whose imports are done."""

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["resim", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capfd.readouterr()
        return subprocess.CompletedProcess(sys.argv, left.value.code, shown.out, shown.err)

    before = {number: signal.getsignal(number) for number in END_OF_JOB}
    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.slow
def test_generate_then_look(card, tmp_path, run):
    output = tmp_path / "pairs.h5"
    made = start("generate", card, "-o", output, "-n", 2)
    assert (made.returncode, made.stdout.count("\n"), made.stdout.count("pb, IDWTUP")) == (0, 3, 2)
    assert "rows; valid in nominal" in made.stdout
    assert "events/s" in made.stderr
    assert run("validate", output).stdout == f"{output}: valid\n"
    assert len(run("digest", output).stdout.strip()) == 64
    summary = json.loads(run("inspect", output, "--json").stdout)
    assert summary["rows"]["hbb"] >= 1
    assert summary["provenance"]["card"]["detector"] == "none"
    assert [view["freeze"] for view in summary["views"]] == [None, "hard_scatter", "parton_shower", "hard_scatter"]


def test_quiet_is_quiet(card, tmp_path, run):
    assert run("generate", card, "-o", tmp_path / "p.h5", "-n", 1, "--quiet").stderr == ""


def test_inspect_shows_tables(pairs):
    result = run_cli("inspect", pairs)
    assert result.exit_code == 0
    for word in ("hbb", "rehadron", "parton_shower", "seed", "MadGraph5_aMC@NLO"):
        assert word in result.output


@pytest.mark.parametrize(
    "command", [[], *[[c] for c in ("generate", "inspect", "validate", "digest", "show", "plot")]]
)
def test_help_is_there(command):
    assert "Usage:" in run_cli(*command, "--help").output


@pytest.mark.parametrize("program", ["resim", "jetssl"])
def test_the_shell_completes_commands(program):
    """The script of `completion` asks the program itself."""
    script = run_cli("completion", "bash", "--program", program).output
    assert f"_{program.upper()}_COMPLETE=bash_complete" in script
    wanted = {"resim": "generate", "jetssl": "train"}[program]
    words = {
        "COMP_WORDS": f"{program} {wanted[:3]}",
        "COMP_CWORD": "1",
        f"_{program.upper()}_COMPLETE": "bash_complete",
    }
    code = f"import sys; sys.argv = [{program!r}]; from {program}.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | words, check=True
    )
    assert f"plain,{wanted}" in done.stdout.splitlines()


def test_version():
    assert resim.__version__ in run_cli("--version").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "{card}", "-o", "{tmp}/x.h5", "-n", "-5"], "--n-events -5: must be at least 1"),
        (["generate", "{tmp}/none.yaml", "-o", "{tmp}/x.h5"], "none.yaml: cannot be read"),
        (["generate", "{card}", "-o", "{tmp}/no/folder/x.h5"], "the folder .* does not exist"),
        (["inspect", "{tmp}/none.h5"], "no such pair file"),
        (["validate", "{card}"], "not a readable HDF5 file"),
        (["show", "{mock}", "--row", "99", "-o", "{tmp}/x.png"], "row 99 does not exist; the file has rows 0 ... 63"),
        (["show", "{mock}", "-o", "{tmp}/x.docx"], "cannot write the picture format '.docx'"),
        (["plot", "{tmp}/none.h5", "-o", "{tmp}/x"], "no such pair file"),
    ],
)
def test_bad_input_is_one_line_and_status_1(card, tmp_path, arguments, message, run):
    import re

    mock = write_mock(tmp_path / "mock.h5")
    before = sorted(tmp_path.iterdir())
    result = run(*(text.format(card=card, tmp=tmp_path, mock=mock) for text in arguments))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert re.search(message, result.stderr), result.stderr
    assert result.stderr.startswith("resim: ")
    assert sorted(tmp_path.iterdir()) == before


def test_bad_lhe_files_leave_nothing(card, tmp_path, run):
    import yaml

    good = (HARD_SCATTERS / "qcd_jj.lhe.gz").read_bytes()
    for name, content in {
        "empty": b"",
        "text": b"hello\n",
        "cut": good[:5000],
        "noise": good[:2000] + bytes(3000),
    }.items():
        lhe = tmp_path / f"{name}.lhe.gz"
        lhe.write_bytes(content)
        bad = tmp_path / f"{name}.yaml"
        bad.write_text(
            yaml.safe_dump(yaml.safe_load(card.read_text()) | {"sources": [{"lhe": str(lhe), "rows": {21: "g"}}]})
        )
        result = run("generate", bad, "-o", tmp_path / "out.h5")
        assert (result.returncode, result.stderr.count("\n")) == (1, 1)
        assert str(lhe) in result.stderr
    assert not list(tmp_path.glob("out.h5*"))


def test_violations_are_lines_and_a_failure(tmp_path, run):
    import h5py

    path = write_mock(tmp_path / "mock.h5")
    with h5py.File(path, "r+") as file:
        file["hard_scatter/parton_pt"][0] = float("nan")
    result = run("validate", path)
    assert result.returncode == 1
    assert "hard_scatter/parton_pt: not finite in row 0" in result.stdout
    assert result.stderr.count("\n") == 1


def test_usage_errors_have_status_2_and_debug_shows_a_traceback(tmp_path, run):
    assert run("generate").returncode == 2
    assert run("generate", "card", "--no-such-option").returncode == 2
    debug = start("--debug", "inspect", tmp_path / "none.h5")
    assert debug.returncode == 1
    assert "Traceback" in debug.stderr


@pytest.mark.slow
def test_a_missing_extra_is_named():
    code = "import sys; sys.modules['pythia8mc'] = None; from resim.cli import main; main()"
    arguments = ["generate", "cards/generate/demo.yaml", "-o", "never.h5", "-n", "1"]
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert result.returncode == 1
    assert "pip install 'resim-jets[generate]'" in result.stderr


def test_reading_needs_no_generator_packages():
    code = (
        "import sys\n"
        "for name in ('pythia8mc', 'fastjet', 'pylhe', 'awkward', 'torch', 'matplotlib'): sys.modules[name] = None\n"
        "import resim.pairfile.reader, resim.pairfile.mock, resim.pairfile.validation, resim.pairfile.digest, resim.pairfile.inspection, resim.cli"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def dummy_arguments(command, output):
    """What a command must be given, and its output."""
    arguments = ["-o", str(output)]
    for parameter in command.params:
        if parameter.required and parameter.name != "output":
            choices = getattr(parameter.type, "choices", ["none"])
            value = "3" if parameter.type.name == "integer" else choices[0]
            arguments += [value] if parameter.param_type_name == "argument" else [parameter.opts[-1], value]
    return arguments


def test_every_command_locks_its_output(tmp_path):
    """Before anything else, so what it reads need not exist."""
    groups = {"resim": cli, "resim cards": cli.commands["cards"], "jetssl": jetssl}
    writing = {
        f"{name} {command}": (group, command)
        for name, group in groups.items()
        for command, found in group.commands.items()
        if any(parameter.name == "output" for parameter in found.params)
    }
    assert {"resim generate", "resim pileup", "resim plot", "jetssl train", "jetssl report"} <= set(writing)
    with held_by_another_process(tmp_path / "output") as process:
        for name, (group, command) in writing.items():
            arguments = dummy_arguments(group.commands[command], tmp_path / "output")
            result = CliRunner().invoke(group, [command, *arguments])
            assert isinstance(result.exception, InputError), (name, result.output)
            assert f"output: process {process.pid} on " in str(result.exception), name
