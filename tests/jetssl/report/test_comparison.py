import re

import pytest
from matplotlib.image import imread

from jetssl.evaluation.compare import Column, RunTable
from jetssl.report.comparison import label_curves, roc_overlays, rotation_overlays, write_comparison
from tests.helpers.records import geometry_records, probe_records, roc_curve


@pytest.fixture
def table():
    """Ten rows, so that colours repeat; curves of two of them."""
    cells = {f"run{i}": {Column.of(result): result for result in probe_records(0.8 + i / 100, i)} for i in range(10)}
    columns = tuple(cells["run0"])
    curves = {"run0": [roc_curve(), roc_curve(all_labels=True)], "run9": [roc_curve()]}
    return RunTable(columns, cells, curves, "run0")


@pytest.mark.slow
def test_figures(table, tmp_path):
    overlays, curves = roc_overlays(table, tmp_path), label_curves(table, tmp_path)
    rejection, calibration = overlays[::2], overlays[1::2]
    assert [figure.caption.split(":")[0] for figure in rejection] == ["b vs q, 20 labels", "b vs q, all labels"]
    assert all("share of signal" in figure.caption for figure in calibration)
    assert ["AUC" in figure.caption or "auc" in figure.caption for figure in curves] == [True, False]
    assert all(figure.path.stat().st_size > 1000 for figure in [*overlays, *curves])


@pytest.mark.slow
def test_many_rows_are_ranked_and_few_are_curves(table, tmp_path):
    ranking = label_curves(table, tmp_path)[0]
    (tmp_path / "few").mkdir()
    few = RunTable(table.columns, {name: table.cells[name] for name in ("run0", "run1")}, {}, "run0")
    curve = label_curves(few, tmp_path / "few")[0]
    assert "the best at the fewest labels on top" in ranking.caption
    assert "on top" not in curve.caption
    heights = [imread(figure.path).shape[0] for figure in (ranking, curve)]
    assert heights[0] != heights[1]


@pytest.mark.slow
@pytest.mark.parametrize("all_labels", [False, True])
def test_what_is_not_known_at_one_number_of_labels_does_not_hide_a_row(table, tmp_path, all_labels):
    """Nor stop the figure: no background passed a cut, so there is no rejection."""
    whole = imread(label_curves(table, tmp_path)[1].path).shape[0]
    for column, result in table.cells["run3"].items():
        if (column.n_labels is None) == all_labels:
            table.cells["run3"][column] = result.model_copy(update={"value": None, "error": None})
    assert imread(label_curves(table, tmp_path)[1].path).shape[0] == whole


@pytest.mark.slow
def test_turned_jets_of_several_encoders(table, tmp_path):
    row = {Column.of(result): result for result in geometry_records()}
    found = RunTable(tuple(row), {"with": row, "without": row}, {}, "with")
    (figure,) = rotation_overlays(found, tmp_path)
    assert figure.path.stat().st_size > 1000
    assert rotation_overlays(table, tmp_path) == []


@pytest.mark.slow
def test_page_is_self_contained(table, tmp_path):
    write_comparison(table, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert text.count('src="data:image/png;base64,') == text.count("<img") == 6
    assert not re.search(r'(src|href)="(https?:)?//|url\(|@import|<script', text)
    assert text.count("<tr>") >= 11
