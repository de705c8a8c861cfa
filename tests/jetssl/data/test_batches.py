import threading

import pytest

from jetssl.data.batches import DEPTH, ahead


@pytest.mark.parametrize("count", [0, 1, DEPTH, 17])
def test_everything_in_order(count):
    assert list(ahead(lambda i: 3 * i, count)) == [3 * i for i in range(count)]


def test_made_before_they_are_taken_but_not_all():
    made = []
    second = threading.Event()

    def make(i):
        made.append(i)
        if i == 1:
            second.set()
        return i

    results = ahead(make, 50)
    assert next(results) == 0
    assert second.wait(10)
    results.close()
    assert len(made) <= 1 + DEPTH


def test_errors_arrive_where_the_result_would():
    def make(i):
        if i == 3:
            raise ValueError("three")
        return i

    results = ahead(make, 9)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
