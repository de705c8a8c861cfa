from jetssl.evaluation.compare import Column, RunTable
from jetssl.evaluation.compare_table import comparison_block
from tests.helpers.records import probe_records, record


def rows(**of_row):
    cells = {name: {Column.of(result): result for result in results} for name, results in of_row.items()}
    columns = tuple(dict.fromkeys(column for row in cells.values() for column in row))
    return RunTable(columns, cells, {}, next(iter(cells)))


def test_one_question():
    block = comparison_block(rows(one=probe_records(0.8), two=probe_records(0.9, 2)))
    assert block.title == "b vs q (nominal)"
    assert block.header[:3] == ("run", "AUC, 20 labels", "rejection at 0.5, 20 labels")
    (one, two) = block.rows
    assert one[:3] == ("one", "0.800 ± 0.020", "80.0 [80.0, ∞]")
    assert two[1].startswith("0.900 ± 0.020 (+0.100 ± 0.00")
    assert two[2].startswith("90.0 [80.0, ∞] (+10.0 ± 0.")
    assert "(one: 1, two: 1)" in block.caption


def test_several_questions_and_empty_cells():
    other = [record("auc", None, error=None, task="w_vs_q", method="linear_probe")]
    block = comparison_block(rows(one=probe_records(0.8)[:1], two=[*probe_records(0.9)[:1], *other]))
    assert block.title == "Comparison of runs"
    assert block.header[2] == "w vs q (nominal): AUC, all labels"
    assert [row[2] for row in block.rows] == ["", "unknown"]


def test_many_figures_stand_below_each_other():
    many = [record("wasserstein_1", 0.1, jet_class=f"class {number}") for number in range(9)]
    block = comparison_block(rows(one=many, two=many[:3]))
    assert block.header == ("figure", "one", "two")
    assert len(block.rows) == 9
    assert block.rows[0][0].startswith("wasserstein 1 of class 0")
    assert block.rows[8][2] == ""
