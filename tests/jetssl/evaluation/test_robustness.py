from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import norm

from jetssl.evaluation import bootstrap
from jetssl.evaluation.results import Origin
from jetssl.evaluation.robustness import CommonJets, Judged, kept_at_nominal_cut, robustness, score_distributions
from jetssl.evaluation.task import Task
from jetssl.evaluation.trained import HeadRecord

N = 400
ORIGIN = Origin(1, "jetssl evaluate")
HEAD = HeadRecord(classes=("b", "q"), method="finetune_full", baseline=None, n_labels=20, all_labels=False)


@pytest.fixture(autouse=True)
def few_replicas(monkeypatch):
    monkeypatch.setattr(bootstrap, "N_REPLICAS", 60)


@pytest.fixture
def jets():
    is_signal = np.arange(N) % 2 == 0
    rows = np.arange(N)
    classes = np.where(is_signal, 0, 1)
    task = Task((("b",), ("q",)), 0, rows, rows, rows, classes, (rows // 2).astype(np.uint64), np.ones(N))
    return CommonJets(task, ("nominal", "seed", "shifted"), np.where(is_signal, "b", "q"))


def judged(rng, name, shift, fits=2):
    """Signal around 0.6 and background around 0.4; the third view moves by `shift` for every class."""
    probability = rng.normal(np.where(np.arange(N) % 2 == 0, 0.6, 0.4), 0.05, (fits, 3, N))
    probability[:, 2] += shift
    return Judged(name, "transformer", HEAD, logit(np.clip(probability, 0.01, 0.99)))


def test_known_distance_null_and_ratio(rng, jets):
    found = robustness([judged(rng, "one", 0.1, fits=1), judged(rng, "two", 0.2, fits=1)], jets, "one", ORIGIN)
    by_key = {(r.run, r.metric, r.view, r.other_view, r.jet_class): r for r in found}
    for name, shift in (("one", 0.1), ("two", 0.2)):
        moved = by_key[name, "wasserstein_1", "nominal", "shifted", "b"]
        assert moved.value == pytest.approx(shift, abs=0.015)  # 3 * 0.05 * sqrt(2 / 200)
        assert moved.error == pytest.approx(0.005, rel=0.5)
        assert moved.replicas is not None
        assert len(moved.replicas) == 60
        seed = by_key[name, "wasserstein_1", "nominal", "seed", "b"]
        assert seed.value == pytest.approx(seed.null, rel=0.9)
        assert moved.value > 10 * seed.null
    ratio = by_key["two", "wasserstein_1_ratio", "nominal", "shifted", "q"]
    assert ratio.reference == "one"
    assert ratio.value == pytest.approx(2, abs=4 * ratio.error)
    excess = by_key["two", "wasserstein_1_excess_ratio", "nominal", "shifted", "q"]
    one, two = (by_key[name, "wasserstein_1", "nominal", "shifted", "q"] for name in ("one", "two"))
    assert excess.value == pytest.approx(np.sqrt((two.value**2 - two.null**2) / (one.value**2 - one.null**2)))
    assert excess.value > ratio.value  # the null value is more of the smaller distance
    assert excess.error == pytest.approx(ratio.error, rel=0.2)
    assert (moved.n_draws, moved.n_seeds, moved.n_test, moved.n_hard_scatters) == (1, 1, N, N // 2)
    assert {r.view for r in found if r.metric == "auc"} == {"nominal", "seed", "shifted"}
    assert not any(r.run == "one" and r.metric.endswith("_ratio") for r in found)


def test_shifts_of_efficiencies(rng, jets):
    found = robustness([judged(rng, "one", 0.03, fits=1)], jets, "one", ORIGIN)
    by_key = {(r.metric, r.other_view): r for r in found if "shift" in r.metric}
    signal = by_key["signal_efficiency_shift_at_0.5", "shifted"]
    # The cut lies at the centre of the signal, which moves by 0.6 of its width.
    assert signal.value == pytest.approx(norm.cdf(0.6) - 0.5, abs=4 * signal.error)
    background = by_key["background_efficiency_shift_at_0.5", "shifted"]
    assert background.value == pytest.approx(0, abs=4 * background.error + 1e-9)


def test_same_scores_do_not_move(rng, jets):
    one = judged(rng, "one", 0, fits=1)
    same = Judged("same", "transformer", HEAD, np.repeat(one.logits[:, :1], 3, axis=1))
    for record in robustness([same], jets, "same", ORIGIN):
        if record.other_view:
            assert record.value == record.error == 0


def test_ratio_of_equal_classifiers_is_exact(rng, jets):
    one = judged(rng, "one", 0.1)
    other = Judged("other", one.encoder, one.record, one.logits)
    ratios = [r for r in robustness([one, other], jets, "one", ORIGIN) if r.metric.endswith("_ratio")]
    plain = [ratio for ratio in ratios if "excess" not in ratio.metric]
    assert (len(ratios), len(plain)) == (16, 8)
    assert all(ratio.value == 1 and ratio.error == 0 for ratio in plain)
    # Views without a shift may lie below their null value: nothing is left of them.
    assert all(ratio.value in {1, None} for ratio in ratios)
    assert all(ratio.value == 1 for ratio in ratios if ratio.other_view == "shifted")


def test_cut_with_weights():
    scores = np.array([[4.0, 3, 2, 1], [1, 2, 3, 4]])
    kept = kept_at_nominal_cut(scores, np.array([1, 1, 1, 1]), np.array([0.25, 0.5]))
    assert kept.tolist() == [[0.25, 0.5], [0.25, 0.5]]
    kept = kept_at_nominal_cut(scores, np.array([2, 1, 1, 0]), np.array([0.5]))
    assert kept.tolist() == [[0.5], [0.0]]
    assert np.isnan(kept_at_nominal_cut(scores, np.zeros(4), np.array([0.5]))).all()


def test_score_distributions(rng, jets):
    shapes = score_distributions([judged(rng, "one", 0.1)], jets)
    assert [(shape.view, shape.jet_class) for shape in shapes[:2]] == [("nominal", "b"), ("nominal", "q")]
    assert all(sum(shape.counts) == N / 2 for shape in shapes)


def test_sides_of_several_classes_and_rare_ones(jets):
    names = np.where(np.arange(N) % 4 == 1, "q", jets.jet_class).astype("<U1")
    names[names == "q"] = np.where(np.arange((names == "q").sum()) % 2, "g", "q")
    names[1::44] = "c"
    task = replace(jets.task, groups=(("b",), ("c", "g", "q")))
    members = CommonJets(task, jets.views, names).members
    assert list(members) == ["b", "c", "g", "q", "c+g+q"]
    assert len(members["c+g+q"]) == N // 2
    rare = CommonJets(task, jets.views, np.where(np.arange(N) == 1, "c", jets.jet_class))
    assert list(rare.members) == ["b", "q", "c+g+q"]


def test_event_weights_count_like_copies(rng, jets):
    one = judged(rng, "one", 0.1, fits=1)
    weights = rng.integers(1, 3, N)
    weighted = replace(jets, task=replace(jets.task, weights=weights.astype(float)))
    found = robustness([one], weighted, "one", ORIGIN)
    rows = np.repeat(np.arange(N), weights)
    task = replace(jets.task, class_index=jets.task.class_index[rows], hard_scatter=jets.task.hard_scatter[rows])
    task = replace(task, test=np.arange(len(rows)), weights=np.ones(len(rows)))
    copies = CommonJets(task, jets.views, jets.jet_class[rows])
    expected = robustness([replace(one, logits=one.logits[:, :, rows])], copies, "one", ORIGIN)
    exact = ("wasserstein_1", "signal_efficiency_shift_at_0.5", "background_efficiency_shift_at_0.5", "auc")
    for record, copy in zip(found, expected, strict=True):
        if record.metric in exact:
            assert record.value == pytest.approx(copy.value, abs=1e-9), record.metric
    assert {record.weighted for record in found} == {True}
    shapes = score_distributions([one], weighted)
    assert [shape.counts for shape in shapes] == [
        shape.counts for shape in score_distributions([replace(one, logits=one.logits[:, :, rows])], copies)
    ]
