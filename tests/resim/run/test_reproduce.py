"""A whole file made again from what it says about itself."""

import json
import shutil

import h5py
import pytest
import yaml

from resim.card.run_options import RunOptions, Shard
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.run import reproduce as module
from resim.run.generate import generate
from resim.run.reproduce import reproduce
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY, run_cli, version_2

QUIET = RunOptions(quiet=True)


@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    """A shard of a run with a detector, whose LHE file and Delphes card now lie elsewhere under other names."""
    folder = tmp_path_factory.mktemp("moved")
    shutil.copy(HARD_SCATTERS / "hbb_j.lhe.gz", folder / "events.lhe.gz")
    shutil.copy(REPOSITORY / "cards/delphes/cms_tracking.tcl", folder / "detector.tcl")
    shutil.copy(REPOSITORY / "cards/pythia/monash.cmnd", folder / "tune.cmnd")
    card = {
        "sources": [{"lhe": str(folder / "events.lhe.gz"), "rows": {25: "hbb"}}],
        "views": {"nominal": {"shower": {"card": str(folder / "tune.cmnd")}}},
        "detector": {"card": str(folder / "detector.tcl")},
    }
    (folder / "card.yaml").write_text(yaml.safe_dump(card))
    generate(folder / "card.yaml", folder / "pairs.h5", RunOptions(n_events=6, seed=3, shard=Shard(2, 2), quiet=True))
    elsewhere = folder / "archive" / "deep"
    elsewhere.mkdir(parents=True)
    (folder / "events.lhe.gz").rename(elsewhere / "a.lhe.gz")
    (folder / "detector.tcl").rename(elsewhere / "b.tcl")
    (folder / "tune.cmnd").unlink()  # the settings are in the pair file
    shutil.copy(HARD_SCATTERS / "qcd_jj.lhe.gz", elsewhere / "0.lhe.gz")
    return folder / "pairs.h5"


@pytest.mark.slow
def test_files_are_found_by_their_hash(moved, tmp_path):
    again = tmp_path / "again.h5"
    done = run_cli("reproduce", moved, "-o", again, "--sources", moved.parent / "archive", "--quiet")
    assert done.exit_code == 0, done.output
    assert f"digest {digest(moved)}, as {moved}" in done.output
    assert digest(again) == digest(moved)


@pytest.mark.slow
def test_a_rounded_file_is_rounded_again(pairs, tmp_path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)  # its card has relative paths
    assert run_cli("merge", pairs, "-o", tmp_path / "r.h5", "--round", "--compression", "zstd").exit_code == 0
    found = reproduce(tmp_path / "r.h5", tmp_path / "again.h5", (), QUIET)
    assert found.before == found.now != digest(pairs)
    assert "# then, as constituents are rounded: resim merge r.h5" in run_cli("provenance", tmp_path / "r.h5").output


def test_a_missing_file_is_named_with_its_hash(moved, tmp_path):
    message = r"events.lhe.gz: no file with SHA-256 [0-9a-f]{12}... in .*; name the folder that has it with --sources"
    with pytest.raises(InputError, match=message):
        reproduce(moved, tmp_path / "again.h5", (tmp_path,), QUIET)
    assert not list(tmp_path.iterdir())


def test_another_digest_is_a_failure_that_names_what_has_changed(moved, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "versions", lambda: {"pythia8mc": "9.0"})
    monkeypatch.setattr(module, "digest", lambda path, *_: str(path))
    done = run_cli("reproduce", moved, "-o", tmp_path / "again.h5", "--sources", moved.parent, "--quiet")
    assert done.exit_code == 1
    assert "changed since: pythia8mc 8.317.2 -> 9.0" in str(done.exception)


def test_an_existing_output_is_refused(moved, tmp_path):
    (tmp_path / "again.h5").touch()
    with pytest.raises(InputError, match=r"again.h5: exists"):
        reproduce(moved, tmp_path / "again.h5", (), QUIET)


def test_a_card_of_another_version_is_one_line(moved, tmp_path):
    strange = tmp_path / "strange.h5"
    shutil.copy(moved, strange)
    with h5py.File(strange, "r+") as file:
        provenance = json.loads(file.attrs["provenance"])
        provenance["card"]["from_the_future"] = 1
        file.attrs["provenance"] = json.dumps(provenance)
    with pytest.raises(InputError, match=r"strange\.h5: unknown key from_the_future; valid keys here"):
        reproduce(strange, tmp_path / "again.h5", (), QUIET)


def test_a_file_of_version_2_is_compared_in_its_own_columns(tmp_path, monkeypatch):
    old, compared = version_2(tmp_path), []
    monkeypatch.chdir(REPOSITORY)  # its card has relative paths
    monkeypatch.setattr(module, "digest", lambda *called: compared.append(called) or "0")
    reproduce(old, tmp_path / "again.h5", (), QUIET)
    assert compared == [(old,), (tmp_path / "again.h5", 2)]
    with PairFile(old) as before, PairFile(tmp_path / "again.h5") as now:
        assert now.version == 3
        for view in before.view_names:
            for stage in ("shower", "hadronization"):
                path = f"views/{view}/seeds/{stage}"
                assert now.read(path).tolist() == before.read(path).tolist()
