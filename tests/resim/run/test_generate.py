import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import yaml

from resim.card.run_options import RunOptions
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.run import execution
from resim.run.generate import generate
from tests.helpers.chain import HARD_SCATTERS, N_EVENTS, fault_card, run_cli
from tests.helpers.waiting import wait_until

OPTIONS = RunOptions(n_events=N_EVENTS, quiet=True)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{"workers": 2, "chunk_size": 5}, {"chunk_size": 3}, {"chunk_size": 1000}])
def test_arrays_do_not_depend_on_workers_or_chunks(card, pairs, tmp_path, changes):
    other = tmp_path / "other.h5"
    generate(card, other, replace(OPTIONS, **changes))
    assert digest(other) == digest(pairs)


@pytest.mark.slow
def test_multiparton_interactions_do_not_depend_on_chunks(card, tmp_path):
    """Pythia learns about them from event to event; `card` has none."""
    content = yaml.safe_load(card.read_text())
    del content["views"]["nominal"]["shower"]["settings"]
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(content))
    for size in (2, 100):
        generate(path, tmp_path / f"{size}.h5", replace(OPTIONS, n_events=6, chunk_size=size))
    assert digest(tmp_path / "2.h5") == digest(tmp_path / "100.h5")


@pytest.mark.slow
def test_another_seed_gives_other_arrays_of_the_same_hard_scatters(card, pairs, tmp_path):
    other = tmp_path / "other.h5"
    generate(card, other, replace(OPTIONS, seed=2, n_events=4))
    assert digest(other) != digest(pairs)
    with PairFile(other) as a, PairFile(pairs) as b:
        hbb = (a.hard_scatter("source") == 0).sum()
        assert a.hard_scatter("parton_pt")[:hbb].tolist() == b.hard_scatter("parton_pt")[:hbb].tolist()
        assert a.jets("nominal", "pt")[0] != b.jets("nominal", "pt")[0]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "workers"), [(signal.SIGUSR1, 1), (signal.SIGINT, 2), (signal.SIGTERM, 2)])
def test_interrupted_by_a_signal_it_says_how_to_go_on_and_leaves_no_process(card, tmp_path, number, workers):
    output = tmp_path / "pairs.h5"
    # A shell starts background jobs with SIGINT ignored, and children inherit that.
    code = "import signal; signal.signal(2, signal.default_int_handler); from resim.cli import main; main()"
    command = [sys.executable, "-c", code, "generate", str(card), "-o", str(output)]
    command += ["-n", "400", "--chunk-size", "2", "-j", str(workers), "--quiet"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: process.poll() is not None or len(list(tmp_path.glob("pairs.h5.chunks/*.npz"))) >= 2)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        _, message = process.communicate(timeout=60)  # returns when no child holds the pipe any more
    assert process.returncode == 130
    assert "finished chunks are kept in" in message
    assert message.count("\n") == 1
    assert not psutil.wait_procs(children, timeout=30)[1]


@pytest.mark.slow
def test_workers_do_not_outlive_a_killed_parent(card, tmp_path):
    command = [sys.executable, "-c", "from resim.cli import main; main()", "generate", str(card), "--quiet"]
    command += ["-o", str(tmp_path / "pairs.h5"), "-n", "400", "--chunk-size", "2", "-j", "2"]
    with subprocess.Popen(command) as process:
        wait_until(lambda: process.poll() is not None or list(tmp_path.glob("pairs.h5.chunks/*.npz")))
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert len(children) >= 2
    assert not psutil.wait_procs(children, timeout=60)[1]


def test_only_regular_files_are_replaced(card, tmp_path):
    (tmp_path / "folder.h5").mkdir()
    for output in (Path(os.devnull), tmp_path / "folder.h5"):
        for flag in ({}, {"force": True}, {"resume": True}):
            with pytest.raises(InputError, match="is not a regular file"):
                generate(card, output, replace(OPTIONS, **flag))


@pytest.mark.slow
def test_events_that_pythia_gives_up_are_counted_and_said(card, tmp_path, monkeypatch, caplog):
    from resim.shower.pythia import Pythia

    monkeypatch.setattr(Pythia, "hadronize", lambda self, record, seed, taus: None)
    output = tmp_path / "pairs.h5"
    tolerant = tmp_path / "card.yaml"
    tolerant.write_text(yaml.safe_dump(yaml.safe_load(card.read_text()) | {"max_failures": 1}))
    provenance = generate(tolerant, output, replace(OPTIONS, n_events=2))
    rows = provenance.sources[0].counts.rows + provenance.sources[1].counts.rows
    assert provenance.views["nominal"].lost == {"not_generated": rows}
    assert "the generator gave up the events of" in caplog.text
    assert violations(output) == []


def test_two_runs_on_one_output_refuse_each_other(card, tmp_path, monkeypatch):
    output = tmp_path / "pairs.h5"
    messages = []

    def second_run(plan, chunk):
        with ThreadPoolExecutor(1) as pool, pytest.raises(InputError) as caught:
            pool.submit(generate, card, output, replace(OPTIONS, resume=True)).result()
        messages.append(str(caught.value))
        raise KeyboardInterrupt

    monkeypatch.setattr(execution, "process", second_run)
    with pytest.raises(KeyboardInterrupt):
        generate(card, output, OPTIONS)
    assert "is writing it; wait for that" in messages[0]


def test_existing_output(card, pairs, tmp_path):
    output = tmp_path / "pairs.h5"
    output.write_text("precious")
    with pytest.raises(InputError, match=r"exists already; .* --force"):
        generate(card, output, OPTIONS)
    assert output.read_text() == "precious"
    generate(card, output, replace(OPTIONS, n_events=2, force=True))
    assert violations(output) == []
    before = output.stat().st_mtime_ns
    generate(card, output, replace(OPTIONS, n_events=2, resume=True))
    assert output.stat().st_mtime_ns == before
    with pytest.raises(InputError, match=r"made with another card, seed"):
        generate(card, output, replace(OPTIONS, n_events=3, resume=True))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_events": 0}, "--n-events 0: must be at least 1"),
        ({"n_events": 10**30}, "--n-events 1000.*: must be at least 1 and at most"),
        ({"workers": -1}, "--workers -1: must be at least 1"),
        ({"chunk_size": 0}, "--chunk-size 0: must be at least 1"),
        ({"seed": -1}, "--seed -1: must be in 0"),
        ({"resume": True, "force": True}, "exclude each other"),
    ],
)
def test_options_out_of_range(changes, message):
    with pytest.raises(InputError, match=message):
        RunOptions(**changes)


QCD = HARD_SCATTERS / "qcd_jj.lhe.gz"


def write_card(tmp_path: Path, card: Path, rows: dict[int, str], select: dict[str, float], lhe: Path = QCD) -> Path:
    content = yaml.safe_load(card.read_text())
    content["sources"] = [{"lhe": str(lhe), "rows": rows}]
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(content | {"select": select}))
    return path


def test_no_parton_of_the_kind_is_an_error_before_any_work(card, tmp_path):
    path = write_card(tmp_path, card, {25: "hbb"}, {})
    with pytest.raises(InputError, match=r"no particle with \|PDG id\| \[25\]"):
        generate(path, tmp_path / "none.h5", OPTIONS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["card.yaml"]


def test_no_parton_in_the_selection_is_a_warning_and_a_valid_empty_file(card, tmp_path, caplog):
    path = write_card(tmp_path, card, {21: "qcd_g"}, {"parton_pt_min": 5000})
    output = tmp_path / "empty.h5"
    provenance = generate(path, output, OPTIONS)
    assert "none of" in caplog.text
    assert "parton_pt_min" in caplog.text
    assert provenance.sources[0].counts.rows == 0
    assert violations(output) == []
    with PairFile(output) as file:
        assert len(file) == 0
        assert file.label_names().tolist() == []


def test_provenance_says_how_to_make_it_again(pairs):
    with PairFile(pairs) as file:
        provenance = file.provenance
    assert provenance.seed == 1
    assert provenance.n_events == N_EVENTS
    assert provenance.versions["pythia8mc"] == "8.317.2"
    assert provenance.card["views"]["rehadron"]["freeze"] == "parton_shower"
    assert [len(source.sha256) for source in provenance.sources] == [64, 64]


@pytest.mark.slow
def test_events_of_another_generator_run_through_the_whole_chain(card, pythia_lhe, tmp_path):
    rows = {21: "g"} | dict.fromkeys((1, 2, 3, 4, 5), "q")
    output = tmp_path / "pairs.h5"
    generate(write_card(tmp_path, card, rows, {"parton_abs_eta_max": 2.5}, pythia_lhe), output, OPTIONS)
    assert violations(output) == []
    with PairFile(output) as file:
        assert len(file) > 8
        assert file.valid("rehadron").mean() > 0.7


MEMORY = """
import resource, sys
from pathlib import Path
from resim.run.generate import generate
from resim.card.run_options import RunOptions
generate(Path(sys.argv[1]), Path(sys.argv[2]), RunOptions(n_events=int(sys.argv[3]), chunk_size=25, quiet=True))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_events(card, tmp_path):
    path = write_card(tmp_path, card, {21: "g"}, {})
    content = yaml.safe_load(path.read_text())
    nominal = content["views"]["nominal"]
    del nominal["shower"]["settings"]  # with multiparton interactions events are large
    path.write_text(yaml.safe_dump(content | {"views": {"nominal": nominal}}))

    def peak(n_events: int) -> int:
        arguments = [str(path), str(tmp_path / f"{n_events}.h5"), str(n_events)]
        command = [sys.executable, "-c", MEMORY, *arguments]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert peak(400) < 1.1 * peak(50)


def test_rows_that_vanish_are_said_with_the_likely_cause(tmp_path, caplog):
    output = tmp_path / "h.h5"
    card = fault_card(tmp_path, "semi_12.lhe", {25: "h"}, jets={"pt_min": 1500})
    provenance = generate(card, output, replace(OPTIONS, n_events=3))
    assert provenance.sources[0].views["seed"].lost == {"no_jet": 3}
    wanted = "view seed: 3 of 3 rows of .*semi_12.lhe are lost: no jet inside .*; likely: jets.pt_min, .*limitTau0"
    assert re.search(wanted, caplog.text)
    shown = " ".join(run_cli("inspect", output).stdout.split())
    assert re.search(wanted, shown)
