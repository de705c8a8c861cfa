"""Two domains of toy jets: views of one file, or files of their own."""

import pytest

from jetssl.config.data import Fractions
from jetssl.config.domains import DomainCard
from jetssl.weak.domains import Question, load_domain


@pytest.fixture
def domain_of(mock_file):
    def domain_of(name="simulation", view="nominal", features="relative", **changes):
        card = DomainCard(**{"files": (str(mock_file),), "view": view} | changes)
        return load_domain(name, card, features, Fractions())

    return domain_of


@pytest.fixture
def question():
    return Question(("two_prong",), ("one_prong",))
