"""`inspect`, `validate` and `plot` look at files of others, and leave nothing in the folder for temporary files."""

import errno
import json
import tempfile

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.formats import import_jets
from resim.pairfile.reader import PairFile
from tests.helpers.chain import run_cli
from tests.helpers.foreign import ForeignJets
from tests.helpers.foreign_files import write_jetclass, write_quark_gluon, write_rs3l

FILES = {"jetclass": "j.root", "rs3l": "r.h5", "quark_gluon": "q.npz"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, jets = tmp_path_factory.mktemp("foreign"), ForeignJets(8)
    write_jetclass(folder / "j.root", jets)
    write_rs3l(folder / "r.h5", jets, [-1, 0, -1, 3, -1, 0, -1, 0])
    write_quark_gluon(folder / "q.npz", jets)
    return {name: folder / file for name, file in FILES.items()}


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_three_kinds_of_files_are_inspected_and_validated(files, temporary, name):
    path = files[name]
    summary = json.loads(run_cli("inspect", path, "--format", name, "--json").stdout)
    pairs = 2 if name == "rs3l" else 1
    assert (summary["path"], sum(summary["rows"].values())) == (str(path), 8 // pairs)
    assert [view["name"] for view in summary["views"]] == ["nominal", "seed", "herwig"][: 2 * pairs - 1]
    few = json.loads(run_cli("inspect", path, "--format", name, "-n", 4, "--json").stdout)
    (source,) = few["provenance"]["sources"]
    assert (source["counts"]["events"], source["events_in_file"]) == (4 // pairs, 8 // pairs)
    valid = run_cli("validate", path, "--format", name)
    assert (valid.exit_code, valid.stdout) == (0, f"{path}: valid\n"), valid.output


def test_plots_of_a_file_of_others(files, temporary, tmp_path):
    done = run_cli(
        "plot", files["quark_gluon"], "--format", "quark_gluon", "--label", "mine", "-o", tmp_path / "plots"
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "plots/mass.png").is_file()


def test_what_import_refuses_is_no_valid_file(files, temporary, tmp_path):
    path = tmp_path / "wrong.h5"
    write_rs3l(path, ForeignJets(4), [-1, 0, -1, 9])
    refused = run_cli("validate", path, "--format", "rs3l")
    assert f"{path}: vartype is 9 in jet 3" in str(refused.exception)
    for arguments in (["-n", 3], ["--label", "top"]):
        assert "say what FILE is: --format or --columns" in run_cli("validate", path, *arguments).output
    assert "of which --format" in run_cli("plot", "--detector", path, "-n", 3, "-o", tmp_path / "p").output
    assert "`resim import` makes one of jets of others" in str(run_cli("inspect", path).exception)


def test_messages_name_the_file_of_the_user(temporary, tmp_path):
    path = tmp_path / "empty.npz"
    np.savez(path, X=np.zeros((3, 4, 4)), y=np.zeros(3))
    refused = run_cli("plot", path, "--format", "quark_gluon", "-o", tmp_path / "plots")
    assert str(refused.exception).startswith(f"{path}: no row has a jet in any view")
    assert not (tmp_path / "plots").exists()


def test_a_full_disk_names_the_folder_and_the_remedy(files, temporary, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(import_jets.PairWriter, "append", full)
    refused = run_cli("validate", files["jetclass"], "--format", "jetclass")
    assert isinstance(refused.exception, InputError)
    message = (
        f"{files['jetclass']}: cannot be copied to {temporary} (No space left on device); make room there, set TMPDIR"
    )
    assert str(refused.exception).startswith(message)


def test_ctrl_c_leaves_nothing(files, temporary, monkeypatch):
    def interrupted(pairs):
        with PairFile(pairs) as file:
            assert len(file) == 8
        raise KeyboardInterrupt

    monkeypatch.setattr("resim.pairfile.validation.violations", interrupted)
    assert run_cli("validate", files["jetclass"], "--format", "jetclass").output.endswith("Aborted!\n")
