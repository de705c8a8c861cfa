from jetssl.evaluation.similarity import OF_A_PAIR
from jetssl.evaluation.similarity_tables import similarity_tables
from tests.helpers.records import geometry_records


def test_cells():
    pairs, views = similarity_tables(geometry_records(), ["parton_shower"])
    assert pairs.rows == [("nominal, seed", "parton shower", *["0.800 ± 0.010"] * 4, "none", "0.800 ± 0.010")]
    assert len(pairs.header) == 2 + len(OF_A_PAIR)
    assert views.rows == [("nominal", "-1.000 ± 0.010", "3.000 ± 0.010")]
