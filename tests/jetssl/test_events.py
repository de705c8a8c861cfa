"""Whole events from a file as it is published to a score: AnomalyCLR on ADC 2021, with the shipped card."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.card import load_card
from jetssl.evaluation.results import read_results
from resim.common.errors import InputError
from tests.helpers.adc import toy_events, write_adc
from tests.helpers.chain import run_cli

CARD = Path(__file__).parents[2] / "cards/train/anomclr_events_small.yaml"
TINY = ("encoder={width: 8, layers: 1, heads: 1}", "projector={hidden: 8, output: 4}")
SCHEDULE = ("data.batch_size=16", "training={epochs: 1, threads: 1}")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Background, and anomalies with harder objects."""
    folder, found = tmp_path_factory.mktemp("adc"), []
    for seed, (label, scale) in enumerate({"background": 20.0, "leptoquark": 150.0}.items()):
        raw = write_adc(folder / f"{label}_raw.h5", toy_events(np.random.default_rng(seed), 200, scale))
        found.append(folder / f"{label}.h5")
        run = run_cli("import", raw, "--format", "adc2021", "--label", label, "-o", found[-1], "--quiet")
        assert run.exit_code == 0, run.output
    return found


def call(*words):
    return CliRunner().invoke(jetssl, [*map(str, words), "--quiet"])


@pytest.mark.slow
def test_from_the_published_file_to_a_score(files, tmp_path):
    run, out = tmp_path / "run", tmp_path / "out"
    trained = call("train", CARD, f"data.files=[{files[0]}]", *TINY, *SCHEDULE, "-o", run)
    assert trained.exit_code == 0, trained.exception
    words = ["--signal", "leptoquark", "--background", "background", "--score", "mahalanobis", "--draws", "2"]
    scored = call("anomaly", run, "-o", out, "--data", files[0], "--data", files[1], *words, "--baseline", "random")
    assert scored.exit_code == 0, scored.output
    auc = {r.baseline: r.value for r in read_results(out / "results.json") if r.metric == "auc"}
    assert all(0.7 < value <= 1 for value in auc.values()), auc


@pytest.mark.slow
def test_jets_are_refused_before_there_is_a_run(mock_file, tmp_path):
    refused = call("train", CARD, f"data.files=[{mock_file}]", *TINY, *SCHEDULE, "-o", tmp_path / "run")
    assert "are for events, the data has jets" in str(refused.exception)
    assert not (tmp_path / "run").exists()


def test_events_ask_for_types():
    with pytest.raises(
        InputError, match=r"ask what an object is, data.features kin does not read it: set it to kinpid"
    ):
        load_card(CARD, ["data.features=kin"])
