import pytest

from jetssl.evaluation.results import write_records, write_results
from jetssl.report import anomaly
from jetssl.report.anomaly import anomaly_section, is_anomaly
from tests.helpers.pictures import empty_panels
from tests.helpers.records import record, roc_curve


@pytest.fixture
def folder(tmp_path):
    """What `jetssl anomaly` writes for one class, two scores and two inputs."""
    of_all = {"task": "dark_vs_qcd", "method": "anomaly_knn"}
    names = {"classes": ("dark", "qcd")}
    results = [record("auc", 0.7, **of_all, **names), record("auc", 0.6, baseline="random", **of_all, **names)]
    curves = [roc_curve(**of_all, baseline=name) for name in (None, "random")]
    write_results(tmp_path / "out/results.json", results)
    write_records(tmp_path / "out/roc.json", curves)
    return tmp_path / "out"


@pytest.mark.slow
def test_section(folder, tmp_path):
    assert is_anomaly(folder)
    assert not is_anomaly(tmp_path)
    section = anomaly_section(folder, tmp_path / "scratch")
    assert (section.title, section.kind, len(section.tables), len(section.pictures)) == ("out", "anomalies", 1, 1)
    assert section.pictures[0].caption.startswith("dark among qcd")


@pytest.mark.slow
def test_both_panels_show_something(tmp_path, monkeypatch):
    figures = []

    def keep(figure, output):
        figures.append(figure)
        return output

    monkeypatch.setattr(anomaly, "save", keep)
    curve = roc_curve(task="dark_vs_qcd", method="anomaly_norm", n_background=200)
    anomaly.anomaly_figure([curve], tmp_path / "a.png")
    assert empty_panels(figures) == []
