import subprocess
import sys
import tomllib

import pytest

from resim.common import commandline
from tests.helpers.chain import REPOSITORY

IMPORT_NAMES = {"dask-jobqueue": "dask_jobqueue", "pyyaml": "yaml", "scikit-learn": "sklearn"}


def test_extras_are_those_of_the_distribution():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    for extra, packages in commandline.EXTRAS.items():
        names = {
            "".join(c if c.isalnum() or c == "-" else " " for c in r).split()[0].lower()
            for r in project["optional-dependencies"][extra]
        }
        wanted = {IMPORT_NAMES.get(name, name) for name in names}
        assert wanted <= set(packages), extra
        assert set(packages) - wanted <= {"distributed"}, extra


def test_the_other_project_of_that_name_is_named(monkeypatch, capsys):
    monkeypatch.setattr(commandline, "other_project_installed", lambda: True)
    from resim.cli import cli

    with pytest.raises(SystemExit) as error:
        commandline.run(cli)
    assert error.value.code == 1
    assert "another project" in capsys.readouterr().err


@pytest.mark.slow
def test_hepmc_is_imported_only_where_it_is_read():
    """It starts the program `dot`, and fails where a folder of PATH may not be entered."""
    code = "import sys, resim.run.process_chunk, resim.detector.delphes_backend; sys.exit('pyhepmc' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_long_messages_lose_their_middle():
    short, long = "x: bad; do better", "x: bad " + 1000 * "y" + "; do better"
    assert commandline.shortened(short) == short
    cut = commandline.shortened(long)
    assert len(cut) == commandline.LONGEST_MESSAGE
    assert cut.startswith("x: bad yyy")
    assert cut.endswith("y; do better")
