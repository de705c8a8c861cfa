"""Sections `data` and `views`."""

import pytest
from pydantic import ValidationError

from jetssl.config.data import Fractions


def test_fractions_sum_to_one():
    assert Fractions(train=0.5, validation=0.25, test=0.25).train == 0.5
    with pytest.raises(ValidationError, match=r"train \+ validation \+ test is 0\.9, want 1"):
        Fractions(train=0.5, validation=0.2, test=0.2)
