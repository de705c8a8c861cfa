"""A bench for networks of weaver-core, and jets for them."""

import pytest

from jetssl.data.tensors import to_tensors
from tests.helpers.toys import make_jets
from tests.helpers.weaver import Bench


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def some_jets(rng):
    """Of fewer constituents than there are neighbours, too."""
    return lambda features: to_tensors(make_jets(rng, [12, 1, 3, 4, 5, 9, 2]), features)
