"""Records of evaluations, as the commands write them."""

import numpy as np

from jetssl.evaluation.results import Calibration, Result, RocCurve
from jetssl.weak.scan import Scan, ScanPoint

SHARED = {
    "task": "b_vs_q",
    "encoder": "transformer",
    "baseline": None,
    "method": "supervised",
    "view": "nominal",
    "n_labels": 50,
    "all_labels": True,
    "n_draws": 1,
    "n_test": 50,
    "n_hard_scatters": 48,
    "seed": 1,
    "command": "jetssl evaluate run",
}


def record(metric, value, error=0.01, **more):
    return Result(**SHARED | {"metric": metric, "value": value, "error": error} | more)


def robustness_records(run):
    """Those of one run that was evaluated in two views."""

    def of_run(metric, value, **more):
        return record(metric, value, **{"run": run} | more)

    results = [
        of_run("auc", 0.9),
        of_run("rejection_at_0.5", None, error=None, low=7.0),
        of_run("auc", 0.85, view="seed"),
        of_run("rejection_at_0.5", 10.0, low=8.0, high=12.0, view="seed"),
        of_run("background_efficiency_shift_at_0.5", 0.02, other_view="seed"),
        of_run("signal_efficiency_shift_at_0.5", -0.02, other_view="seed"),
        of_run("wasserstein_1", 0.05, null=0.002, jet_class="b", other_view="seed"),
        of_run("jensen_shannon", 0.2, null=0.1, jet_class="b", other_view="seed"),
        of_run("wasserstein_1_ratio", 2.0, jet_class="b", other_view="seed", reference="two"),
        of_run("jensen_shannon_ratio", None, error=None, jet_class="b", other_view="seed", reference="two"),
    ]
    for metric in ("mean_mass", "mean_n_constituents", "displaced_fraction"):
        results += [
            of_run(metric, 1.0, jet_class="b", method="jets", run=None, view=view) for view in ("nominal", "seed")
        ]
        results.append(of_run(f"{metric}_shift", 0.5, jet_class="b", method="jets", run=None, other_view="seed"))
    return results


def geometry_records():
    """Those of a run and two views, without rows in one bin."""
    pair = (
        "cosine_positive",
        "cosine_negative",
        "cosine_negative_in_bin",
        "pair_auc",
        "pair_auc_in_bin",
        "alignment",
    )
    results = [
        record(metric, 0.8, other_view="seed", method="geometry") for metric in pair if metric != "pair_auc_in_bin"
    ]
    results.insert(4, record("pair_auc_in_bin", None, error=None, other_view="seed", method="geometry"))
    results += [record("uniformity", -1.0), record("effective_rank", 3.0)]
    return results + [record(f"cosine_turned_by_{degrees}", 0.9) for degrees in range(30, 360, 30)]


def probe_records(value, seed=1, replicas=40, **more):
    """AUC and rejection of one row at two numbers of labels, with replicas: noise that rows share, and some of their own."""
    jets, own = np.random.default_rng(0), np.random.default_rng(seed)
    results = []
    for all_labels in (False, True):
        for metric, scale in (("auc", 1.0), ("rejection_at_0.5", 100.0)):
            noise = 0.02 * jets.normal(size=replicas) + 0.001 * own.normal(size=replicas)
            drawn = tuple((scale * (value + noise)).tolist())
            about = {"all_labels": all_labels, "n_labels": 50 if all_labels else 20, "method": "linear_probe"}
            about |= {"test_set": "0123456789ab", "low": None if metric == "auc" else 80.0, "high": None}
            results.append(record(metric, scale * value, error=0.02 * scale, replicas=drawn, **about | more))
    return results


def roc_curve(**more):
    """A straight one."""
    efficiencies = [0.2, 0.5, 0.8]
    about = {"task": "b_vs_q", "baseline": None, "n_labels": 20, "all_labels": False, "n_background": 50}
    about["calibration"] = Calibration(predicted=[0.2, 0.9], observed=[0.25, 0.8], n_jets=[60.0, 40.0])
    return RocCurve(**about | more, signal_efficiency=efficiencies, background_efficiency=efficiencies)


def scan_of() -> Scan:
    """What `jetssl cwola` writes of two inputs and two numbers of signal events."""
    points = [
        ScanPoint(
            baseline=baseline,
            injected=injected,
            in_region=0.8 * injected,
            before=[injected / 50, injected / 50 * 3],
            after=[injected / 10, injected / 10 + 1],
            sculpting=[0.0, 0.2],
            quality=[0.3, 0.5],
        )
        for baseline in (None, "random")
        for injected in (0, 50)
    ]
    return Scan(
        signal=("wz",),
        background=("qcd",),
        encoder="transformer",
        view="nominal",
        window=(1000, 1200, 1400, 1800),
        efficiency=0.05,
        n_background=500,
        n_available=1000,
        repetitions=2,
        seed=1,
        command="jetssl cwola run",
        points=points,
    )
