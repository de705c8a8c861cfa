"""What a model card says."""

import shutil
from dataclasses import replace

import pytest

from jetssl.config.evaluation import ProbeCard
from jetssl.data.features import FEATURE_SETS
from jetssl.evaluation.program import ProbeRequest, probe_run
from jetssl.exchange.model_card import Release, model_card
from jetssl.exchange.weaver_import import import_weaver
from jetssl.models.checkpoints import load_encoder
from jetssl.training.run_folder import RunFolder


@pytest.fixture
def told(finished_run):
    loaded = load_encoder(finished_run.best)
    names = FEATURE_SETS[loaded.card.data.feature_set].names
    return Release("run", loaded, finished_run.load_provenance(), [], names, "CC-BY-4.0", onnx=False)


def test_origin_and_input(told):
    text = model_card(told)
    assert text.startswith("---\nlicense: cc-by-4.0\n")
    assert "| pairs.h5 | 300 | one_prong 150, two_prong 150 | nominal, seed, herwig |" in text
    assert told.provenance.files[0].digest[:16] in text
    assert f"{told.provenance.parameters['encoder']:,} parameters" in text
    assert all(name in text for name in told.features)
    assert "Not measured" in text
    assert "onnxruntime" not in text


def test_an_import_is_not_said_to_be_trained_here(told, bench, tmp_path):
    file, run = bench.save(bench.network("particlenet")), RunFolder(tmp_path / "run")
    provenance = import_weaver(bench.ask(file, "particlenet"), run)
    text = model_card(replace(told, loaded=load_encoder(run.best), provenance=provenance))
    assert f"Weights of weaver, file `weights.pt`, SHA-256 `{provenance.imported.sha256}`" in text
    assert "not trained here" in text
    assert "Trained with" not in text
    assert "## Data" not in text
    assert str(tmp_path) not in text


@pytest.mark.slow
def test_numbers_have_their_errors(told, finished_run, tmp_path):
    run = shutil.copytree(finished_run.path, tmp_path / "run")
    asked = ProbeCard(signal=("two_prong",), background=("one_prong",), labels=(40,))
    results = probe_run(ProbeRequest(run, asked))
    text = model_card(replace(told, results=results))
    (auc, *_) = [one for one in results if one.metric == "auc" and one.baseline is None]
    assert f"| {auc.n_labels} | pre-trained | {auc.value:.3f} ± {auc.error:.3f} |" in text
    assert "| random encoder |" in text
    assert "linear probe" in text
    assert "Not measured" not in text
