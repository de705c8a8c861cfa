import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from jetssl.config.projectors import ProjectorCard
from jetssl.evaluation.heads import build_head, class_logits, cross_entropy, fit_linear, loss_of, outputs_of


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("linear", 64 + 1),
        ("rs3l", 8 + 1),
        # 8 → 128 → 64 → 32 → 8 → 1
        ("rs3l-mlp", (8 + 1) * 128 + (128 + 1) * 64 + (64 + 1) * 32 + (32 + 1) * 8 + 8 + 1),
        # As the talk has it.
        ("resim", 1281),
    ],
)
def test_numbers_of_parameters(name, parameters):
    head = build_head(name, 64, ProjectorCard(output=8), 2)
    assert sum(parameter.numel() for parameter in head.output.parameters()) == parameters
    assert head(torch.randn(5, 64)).shape == (5, 1)
    assert build_head(name, 64, ProjectorCard(output=8), 3)(torch.randn(5, 64)).shape == (5, 3)


def test_rs3l_reads_vectors_of_length_1():
    vectors = torch.randn(5, 64)
    lengths = [
        build_head(name, 64, ProjectorCard(output=8), 2).projection(vectors).norm(dim=1).detach()
        for name in ("rs3l", "rs3l-mlp", "resim")
    ]
    torch.testing.assert_close(lengths[0], torch.ones(5))
    torch.testing.assert_close(lengths[1], torch.ones(5))
    assert not torch.allclose(lengths[2], torch.ones(5))


def test_one_output_is_the_first_of_two_logits(rng):
    outputs, classes = rng.normal(size=(20, 1)), rng.integers(0, 2, 20)
    logits = np.concatenate([outputs, np.zeros((20, 1))], axis=1)
    assert class_logits(torch.from_numpy(outputs)).tolist() == logits.tolist()
    expected = -log_softmax(logits, axis=1)[np.arange(20), classes].mean()
    assert float(cross_entropy(torch.from_numpy(outputs), torch.from_numpy(classes))) == pytest.approx(expected)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_perfect_feature_and_shuffled_labels(rng, n_classes):
    classes = rng.integers(0, n_classes, 1200)
    vectors = rng.normal(size=(1200, 4)).astype(np.float32)
    vectors[:, :3] += 20 * np.eye(3, dtype=np.float32)[classes]
    labelled, validation, test = np.split(np.arange(1200), [400, 600])

    def measure(classes):
        head = fit_linear(vectors[labelled], classes[labelled], vectors[validation], classes[validation])
        logits = class_logits(head(torch.from_numpy(vectors[test]))).detach()
        probability = logits.double().softmax(1).numpy()
        if n_classes == 2:
            return roc_auc_score(classes[test] == 0, probability[:, 0])
        return roc_auc_score(classes[test], probability, multi_class="ovo")

    assert measure(classes) > 0.999
    # 600 jets: one standard deviation of the AUC of noise is 0.024.
    assert measure(rng.permutation(classes)) == pytest.approx(0.5, abs=0.08)


def test_outputs_and_loss(rng):
    vectors = rng.normal(size=(30, 64)).astype(np.float32)
    two, three = (build_head("linear", 64, ProjectorCard(), n_classes) for n_classes in (2, 3))
    assert outputs_of(two, vectors).shape == (30,)
    outputs = outputs_of(three, vectors)
    assert outputs.shape == (30, 3)
    classes = rng.integers(0, 3, 30)
    expected = -log_softmax(outputs, axis=1)[np.arange(30), classes].mean()
    assert loss_of(three, vectors, classes) == pytest.approx(expected)


def test_jets_count_by_their_weights(rng):
    """Half of the labels are wrong, and weigh little."""
    vectors = rng.normal(size=(400, 3)).astype(np.float32)
    true = (vectors[:, 0] > 0).astype(np.int64)
    wrong = np.arange(400) % 2 == 0
    classes, weights = np.where(wrong, 1 - true, true), np.where(wrong, 1e-3, 1.0)
    head = fit_linear(vectors, classes, vectors, classes, (weights, weights))
    assert ((outputs_of(head, vectors) > 0) == (true == 0)).mean() > 0.97
    blind = fit_linear(vectors, classes, vectors, classes)
    assert ((outputs_of(blind, vectors) > 0) == (true == 0)).mean() < 0.9
    repeated = np.repeat(np.arange(400), 1 + wrong)
    assert loss_of(head, vectors, classes, 1.0 + wrong) == pytest.approx(
        loss_of(head, vectors[repeated], classes[repeated])
    )
