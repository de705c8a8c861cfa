from jetssl.evaluation.robustness_tables import robustness_tables
from tests.helpers.records import robustness_records


def test_cells():
    performance, distances, jets = robustness_tables(robustness_records("one"))
    assert performance.rows == [
        ("one", "nominal", "0.900 ± 0.010", "> 7.0 at 95 %", "", ""),
        ("one", "seed", "0.850 ± 0.010", "10.0 [8.0, 12.0]", "+0.020 ± 0.010", "-0.020 ± 0.010"),
    ]
    (row,) = distances.rows
    assert row == ("one", "b", "seed", "0.0500 ± 0.0100", "0.0020", "2.000 ± 0.010", "0.2000 ± 0.0100", "0.1000", "")
    assert "ratio to two" in distances.header
    assert jets.rows[0][:4] == ("b", "nominal", "1.00 ± 0.01", "")
    assert jets.rows[1][-1] == "+0.500 ± 0.010"
    assert all(len(row) == len(block.header) for block in (performance, distances, jets) for row in block.rows)
