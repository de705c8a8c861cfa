"""Tables of a study as Markdown; the page is looked at in tests/jetssl/study/test_program.py."""

from jetssl.report.study import claims_block
from jetssl.study.claims import Decision


def test_claims_say_what_they_rest_on():
    decision = Decision(
        says="a is better",
        verdict="holds",
        value=0.91,
        than=0.88,
        difference=0.03,
        error=0.01,
        expected="larger",
        margin=0.01,
        n_test=500,
        n_labels=100,
        n_draws=3,
        n_seeds=2,
        null=None,
        command="jetssl",
    )
    (row,) = claims_block([decision]).rows
    assert row[:5] == ("a is better", "holds", "0.91", "0.88", "+0.03 ± 0.01 (expected larger, margin 0.01)")
    assert row[6] == "500 test jets, 100 labels, 3 draws, 2 trainings"
    unknown = decision.model_copy(update={"difference": None, "value": None, "null": 0.5})
    (row,) = claims_block([unknown]).rows
    assert row[2:6] == ("unknown", "0.88", "unknown", "0.5")
