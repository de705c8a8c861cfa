"""The recipes in docker/ for batch systems, which are not installed here: what they run gives the arrays of one process."""

import re
import shlex
import subprocess

import dask
import pytest
from dask.config import global_config, merge
from dask_jobqueue import HTCondorCluster, SLURMCluster

from resim.common.cards import read_yaml
from resim.pairfile.digest import digest
from tests.helpers.chain import N_EVENTS, REPOSITORY, run_cli
from tests.helpers.programs import ENVIRONMENT, install_program

CLUSTER = REPOSITORY / "docker/cluster"
RESIM = f"""import sys
sys.argv += ["-n", "{N_EVENTS}", "--chunk-size", "2"]
from resim.cli import main
main()
"""
APPTAINER = f"""import sys
assert sys.argv[1:3] == ["run", "resim.sif"], sys.argv
sys.argv[1:3] = []
{RESIM}"""


def condor_values(**given: str) -> dict[str, str]:
    """The submit description, with `$(name)` and `$INT(name)` replaced as condor_submit does."""
    lines = (CLUSTER / "shards.condor").read_text().splitlines()
    stated = dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines if re.match(r"\w+\s*=", line))
    values = stated | given

    def expand(text: str) -> str:
        text = re.sub(r"\$INT\((\w+)\)", lambda found: str(sum(map(int, expand(values[found[1]]).split("+")))), text)
        return re.sub(r"\$\((\w+)\)", lambda found: expand(values[found[1]]), text)

    return {name: expand(text) for name, text in values.items()}


@pytest.mark.slow
def test_a_shard_by_slurm_and_one_by_htcondor_are_the_run(card, pairs, tmp_path):
    install_program(tmp_path / "bin/apptainer", APPTAINER)
    install_program(tmp_path / "bin/resim", RESIM)
    path = f"{tmp_path / 'bin'}:{ENVIRONMENT['PATH']}"
    task = {"SLURM_ARRAY_TASK_ID": "1", "SLURM_CPUS_PER_TASK": "1"}
    slurm = ["bash", CLUSTER / "shards.slurm", card, "2"]
    subprocess.run(slurm, cwd=tmp_path, env={**ENVIRONMENT, **task, "PATH": path}, check=True)

    job = condor_values(card=str(card), shards="2", Process="1", request_cpus="1")
    assert job["universe"] == "container"
    command = [job["executable"], *shlex.split(job["arguments"].strip('"'))]
    subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT | {"PATH": path}, check=True)

    shards = [tmp_path / "shard_1.h5", tmp_path / job["transfer_output_files"] / "shard_2.h5"]
    run_cli("merge", *shards, "-o", tmp_path / "whole.h5")
    assert digest(tmp_path / "whole.h5") == digest(pairs)


@pytest.mark.parametrize(
    ("cluster", "golden"), [(SLURMCluster, "slurm_worker.sh"), (HTCondorCluster, "htcondor_worker.sub")]
)
def test_scripts_of_dask_jobqueue(cluster, golden):
    with dask.config.set(merge(global_config, read_yaml(CLUSTER / "jobqueue.yaml"))), cluster() as started:
        script = re.sub(r"tcp://[\d.]+:\d+", "SCHEDULER", started.job_script())
    assert script.strip() == (REPOSITORY / "tests/data" / golden).read_text().strip()
