import numpy as np
import pytest
import torch

from jetssl.evaluation import bootstrap
from jetssl.evaluation.similarity import OF_A_PAIR, Similarity, Vectors, similarities, unit_vectors
from jetssl.methods.monitors import alignment, effective_rank, uniformity
from jetssl.methods.shortcuts import pair_auc
from tests.helpers.records import SHARED

B = 60
FACTS = {key: value for key, value in SHARED.items() if key != "view"}


@pytest.fixture
def vectors(rng, monkeypatch):
    """Three views of 60 rows; two rows of each hard scatter."""
    monkeypatch.setattr(bootstrap, "N_REPLICAS", 30)
    row = rng.normal(size=(B, 8))
    unit = np.stack([unit_vectors((row + rng.normal(size=row.shape)).astype(np.float32)) for _ in range(3)])
    kinematics = np.stack([rng.uniform(400, 450, (3, B)), rng.uniform(-0.3, 0.3, (3, B))], axis=2).astype(np.float32)
    jet_class = (np.arange(B) % 2).astype(np.int16)
    return Vectors(("a", "b", "c"), unit, kinematics, jet_class, (np.arange(B) // 2).astype(np.uint64))


def test_agrees_with_the_monitors_of_the_training(vectors):
    results, _ = similarities(vectors, FACTS, 1)
    by_key = {(r.metric, r.view, r.other_view): r.value for r in results}
    unit = [torch.from_numpy(view) for view in vectors.unit]
    kinematics = [torch.from_numpy(view) for view in vectors.kinematics]
    auc = pair_auc(unit[0], unit[2], (kinematics[0], kinematics[2]), torch.from_numpy(vectors.jet_class))
    assert by_key["pair_auc", "a", "c"] == pytest.approx(float(auc.anywhere), abs=1e-6)
    assert by_key["pair_auc_in_bin", "a", "c"] == pytest.approx(float(auc.in_bin), abs=1e-6)
    assert by_key["alignment", "a", "b"] == pytest.approx(float(alignment(unit[0], unit[1])), abs=1e-5)
    assert by_key["uniformity", "b", None] == pytest.approx(float(uniformity(unit[1])), abs=1e-5)
    assert by_key["effective_rank", "c", None] == pytest.approx(float(effective_rank(unit[2])), rel=1e-5)
    assert len(results) == 3 * len(OF_A_PAIR) + 3 * 2


def test_weights_are_repeated_rows(vectors, rng):
    """Of an AUC with weights: negatives of a row are all copies of the other rows."""
    weights = np.stack([np.ones(B), rng.integers(0, 3, B)]).astype(np.float32)
    similarity = Similarity.of(vectors, 0, 1)
    figures = dict(zip(OF_A_PAIR, similarity.figures(weights)[:, 1], strict=True))
    copies = np.repeat(np.arange(B), weights[1].astype(int))
    cosine = similarity.cosine
    pairs = [(i, j) for i in copies for j in copies if i != j]
    assert figures["cosine_positive"] == pytest.approx(np.mean([cosine[i, i] for i in copies]), abs=1e-5)
    assert figures["cosine_negative"] == pytest.approx(np.mean([cosine[i, j] for i, j in pairs]), abs=1e-5)
    assert figures["pair_auc"] == pytest.approx(np.mean([cosine[i, j] < cosine[i, i] for i, j in pairs]), abs=1e-5)
    in_bin = [cosine[i, j] for i, j in pairs if similarity.in_bin[i, j]]
    assert len(in_bin) < len(pairs)
    assert figures["cosine_negative_in_bin"] == pytest.approx(np.mean(in_bin), abs=1e-5)


def test_errors_shrink_with_the_root_of_the_rows(vectors):
    by_key = {(r.metric, r.view, r.other_view): r for r in similarities(vectors, FACTS, 1)[0]}
    positive = by_key["cosine_positive", "a", "b"]
    expected = np.diagonal(Similarity.of(vectors, 0, 1).cosine).std() / B**0.5
    assert positive.error == pytest.approx(expected, rel=0.5)
    assert len(positive.replicas) == 30


def test_nothing_in_one_bin(vectors):
    far = Vectors(vectors.views, vectors.unit, vectors.kinematics, np.arange(B, dtype=np.int16), vectors.hard_scatter)
    by_key = {(r.metric, r.other_view): r for r in similarities(far, FACTS, 1)[0]}
    assert by_key["pair_auc_in_bin", "b"].value is by_key["pair_auc_in_bin", "b"].error is None


def test_distributions(vectors):
    _, shapes = similarities(vectors, FACTS, 1)
    assert [shape.quantity for shape in shapes[:3]] == list(OF_A_PAIR[:3])
    assert [sum(shape.counts) for shape in shapes[:2]] == [B, B * (B - 1)]


def test_direction_of_nothing():
    assert unit_vectors(np.array([[3.0, 4], [0, 0]], np.float32)).tolist() == pytest.approx(
        np.array([[0.6, 0.8], [0, 0]])
    )
