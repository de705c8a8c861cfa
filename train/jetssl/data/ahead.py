"""Make the next results while the present one is used."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")
DEPTH: Final = 2
"""Results that wait: one would make the maker idle whenever its result is just taken."""


def ahead(make: Callable[[int], T], count: int) -> Iterator[T]:
    """`make(0), ..., make(count - 1)`, one after the other in a thread, at most `DEPTH` ahead of use.

    Whatever `make` raises is raised where its result would be taken.

    >>> list(ahead(lambda i: i * i, 4))
    [0, 1, 4, 9]
    """
    with ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(make, i) for i in range(min(DEPTH, count)))
        for i in range(DEPTH, count + DEPTH):
            result = waiting.popleft().result()
            if i < count:
                waiting.append(thread.submit(make, i))
            yield result
