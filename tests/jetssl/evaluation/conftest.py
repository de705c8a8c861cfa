"""Two prongs against one."""

import pytest

from jetssl.config.data import Fractions
from jetssl.evaluation.task import make_task


@pytest.fixture
def task(table):
    return make_task(table.rows, Fractions(), ["two_prong"], ["one_prong"])
