import pytest

from jetssl.config.domains import DomainCard
from jetssl.evaluation.fits import Fit, read_scores, scores_file
from jetssl.weak.domains import Question
from jetssl.weak.transfer import Transfer
from resim.common.errors import InputError

pytestmark = pytest.mark.slow

QUESTION = Question(("two_prong",), ("one_prong",))


@pytest.fixture
def transfer_of(finished_run, mock_file, tmp_path):
    def transfer_of(learned="nominal", tested="herwig", labelled=True, oracle=False):
        cards = [DomainCard(files=(str(mock_file),), view=view, labelled=labelled) for view in (learned, tested)]
        return Transfer(finished_run.path, *cards, QUESTION, tmp_path / "fits", 1, 2, oracle)

    return transfer_of


def test_fits_are_made_once(transfer_of):
    one = transfer_of()
    fits = [Fit("frozen", 20, 0), Fit("scratch", None, 1)]
    one.make(fits, 1, "", True)
    times = [scores_file(one.output, fit).stat().st_mtime_ns for fit in fits]
    one.make(fits, 1, "", True)
    assert [scores_file(one.output, fit).stat().st_mtime_ns for fit in fits] == times
    bench = one.bench()
    assert len(read_scores(one.output, fits[0])) == len(bench.task.test)
    assert bench.task.test.min() >= 300  # rows of the second domain


def test_only_an_oracle_learns_from_a_domain_without_labels(transfer_of):
    with pytest.raises(InputError, match="domain 'learned' has no labels to learn from"):
        transfer_of(labelled=False).bench()
    assert transfer_of(labelled=False, oracle=True).bench().task.is_signal.any()


def test_the_same_domain_may_be_tested(transfer_of):
    bench = transfer_of(tested="nominal").bench()
    learned = set(bench.table.rows.event[bench.task.train])
    assert not learned & set(bench.table.rows.event[bench.task.test])
