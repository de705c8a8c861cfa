"""Two prongs against one."""

import pytest

from jetssl.config.data import Fractions
from jetssl.evaluation.probe import Subject
from jetssl.evaluation.task import make_task
from jetssl.models.checkpoints import load_encoder


@pytest.fixture
def task(table):
    return make_task(table.rows, Fractions(), ["two_prong"], ["one_prong"])


@pytest.fixture
def subject(finished_run, table, task):
    return Subject(finished_run, load_encoder(finished_run.best), table, task)
