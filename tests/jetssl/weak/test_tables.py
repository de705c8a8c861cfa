from jetssl.evaluation.results import Result
from jetssl.weak.tables import weak_tables


def result(run, metric, value, **changes):
    plain = {
        "task": "hbb_vs_qcd", "encoder": "transformer", "baseline": None, "method": "wsl_plain", "view": "nominal",
        "n_labels": 40, "all_labels": True, "n_draws": 3, "n_test": 100, "n_hard_scatters": 90, "seed": 1,
        "command": "", "run": run, "metric": metric, "value": value, "error": 0.01,
    }  # fmt: skip
    return Result(**plain | changes)


def test_a_row_for_each_arm_a_column_for_each_metric_there_is():
    found = [result("clean", m, 0.9) for m in ("auc", "balanced_accuracy")]
    for run in ("plain", "gce"):
        found += [result(run, m, 0.8, noise="symmetric 0.1") for m in ("auc", "balanced_accuracy")]
        found.append(result(run, "auc_difference", -0.1, noise="symmetric 0.1"))
    shift = result(None, "proxy_a_distance", 0.3, method="domain_shift", other_view="data", null=0.0)
    answers, distances, arms = weak_tables([shift, *found])
    assert answers.title == "Answers"
    assert distances.rows == [("proxy a distance", "0.300 ± 0.010", "0")]
    assert arms.header == ("labels are", "how many", "learned by", "AUC", "Δ AUC", "balanced accuracy")
    assert ("symmetric 0.1", "40", "gce", "0.800 ± 0.010", "-0.100 ± 0.010", "0.800 ± 0.010") in arms.rows
    assert ("", "40", "clean", "0.900 ± 0.010", "", "0.900 ± 0.010") in arms.rows
