from jetssl.evaluation.anomaly_table import FIGURES, anomaly_tables
from tests.helpers.records import record


def test_a_table_for_each_class_and_a_row_for_each_score_and_input():
    def found(task, method, metric, value, **more):
        classes = tuple(task.split("_vs_"))
        return record(metric, value, task=task, classes=classes, method=method, **more)

    tables = anomaly_tables(
        [
            found("dark_vs_qcd", "anomaly_knn", "auc", 0.7),
            found("dark_vs_qcd", "anomaly_knn", "significance_improvement", 1.5, error=0.2),
            found("dark_vs_qcd", "anomaly_knn", "auc", 0.6, baseline="random", encoder="transformer"),
            found("top_vs_qcd", "anomaly_supervised", "auc", 0.9, n_labels=90),
        ]
    )
    assert [table.title for table in tables] == ["Anomalies: dark among qcd", "Anomalies: top among qcd"]
    assert tables[0].rows == [
        ("nearest neighbours", "pre-trained", "50", "0.700 ± 0.010", "too few", "1.500 ± 0.200"),
        ("nearest neighbours", "random encoder", "50", "0.600 ± 0.010", "too few", "too few"),
    ]
    assert len(tables[0].header) == 3 + len(FIGURES)
    assert tables[1].rows[0][2] == "90"
    assert "have weights" not in tables[0].caption
    (matched,) = anomaly_tables([found("dark_vs_qcd", "anomaly_knn_matched", "auc", 0.7)])
    assert "have weights, so that pT" in matched.caption
    assert matched.rows[0][0] == "nearest neighbours, kinematics matched"
