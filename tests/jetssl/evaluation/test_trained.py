import numpy as np
import pytest
import torch
from scipy.special import logit, softmax

from jetssl.evaluation.trained import HeadRecord, Trained, load_trained, runs_of
from jetssl.models.checkpoints import write_checkpoint
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError


def trained(run, classes, method="supervised"):
    outputs = len(classes) if method == "supervised" else 1
    with torch.random.fork_rng():
        torch.manual_seed(3)
        head = torch.nn.Linear(4, outputs)
    record = HeadRecord(classes=classes, method=method, baseline=None, n_labels=10, all_labels=True)
    return Trained(run.path, None, head, record)


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(20, 4)).astype(np.float32)


def test_score_is_the_probability_among_the_classes_asked_for(finished_run, vectors):
    model = trained(finished_run, ("hbb", "qcd_g", "qcd_q", "wqq"))
    shares = softmax(model.head(torch.from_numpy(vectors)).detach().double().numpy(), axis=1)
    of_signal, of_background = shares[:, 3], shares[:, 1] + shares[:, 2]
    found = model.score(vectors, ["wqq"], ["qcd_g", "qcd_q"])
    np.testing.assert_allclose(found, logit(of_signal / (of_signal + of_background)))
    np.testing.assert_allclose(model.score(vectors, ["qcd_g", "qcd_q"], ["wqq"]), -found)
    assert model.task == (["hbb", "wqq"], ["qcd_g", "qcd_q"])


def test_classes_never_seen(finished_run, vectors):
    model = trained(finished_run, ("hbb", "qcd"))
    np.testing.assert_allclose(
        model.score(vectors, ["tau"], ["qcd_g"]), model.score(vectors, ["hbb"], ["qcd"]), rtol=1e-12
    )
    binary = trained(finished_run, ("two", "one"), "finetune_full")
    expected = binary.head(torch.from_numpy(vectors)).detach().numpy()[:, 0]
    np.testing.assert_allclose(binary.score(vectors, ["a"], ["b"]), expected, rtol=1e-6)
    assert binary.task == (["two"], ["one"])
    with pytest.raises(InputError, match="has nothing for wqq against hbb"):
        model.score(vectors, ["wqq"], ["hbb"])
    with pytest.raises(InputError, match=r"takes hbb\+qcd for one class"):
        trained(finished_run, ("hbb+qcd", "wqq")).score(vectors, ["hbb"], ["qcd"])


def test_an_encoder_alone_has_no_head(finished_run, tmp_path):
    with pytest.raises(InputError, match="a pre-trained encoder without a head"):
        load_trained(finished_run.path)
    with pytest.raises(InputError, match="not a run"):
        load_trained(tmp_path)


def test_one_classifier_trained_several_times(tmp_path):
    for number in (0, 2, 10):
        (tmp_path / f"full_all_{number}").mkdir()
    assert [path.name for path in runs_of(tmp_path / "full_all")] == ["full_all_0", "full_all_2", "full_all_10"]
    assert runs_of(tmp_path / "full_all_2") == [tmp_path / "full_all_2"]
    for path in (tmp_path / "full", tmp_path / "none/full"):
        with pytest.raises(InputError, match="not a run, and no full_0"):
            runs_of(path)


def test_a_damaged_head(finished_run, tmp_path):
    import shutil

    shutil.copytree(finished_run.path, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    checkpoint = torch.load(run.best, weights_only=True)
    checkpoint["state_dict"] |= {"head.weight": torch.zeros(1, 16), "head.bias": torch.zeros(1)}
    write_checkpoint(run.best, checkpoint)
    (run.path / "head.json").write_text("{")
    with pytest.raises(InputError, match=r"head\.json: unreadable"):
        load_trained(run.path)
    record = HeadRecord(classes=("b", "q"), method="finetune_full", baseline=None, n_labels=10, all_labels=True)
    (run.path / "head.json").write_text(record.model_dump_json())
    with pytest.raises(InputError, match="weights do not fit a linear head of classes b, q") as caught:
        load_trained(run.path)
    assert "\n" not in str(caught.value)
