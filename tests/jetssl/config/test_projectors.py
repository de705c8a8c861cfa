"""Sections of projector and predictor."""

import pytest
from pydantic import ValidationError

from jetssl.config.projectors import PredictorCard, ProjectorCard


def test_a_number_is_one_hidden_layer():
    assert ProjectorCard(hidden=16).hidden == (16,)
    assert ProjectorCard(hidden=[16, 8]).hidden == (16, 8)


def test_heads_of_the_predictor_divide_its_width():
    assert PredictorCard(width=12, heads=3).width == 12
    with pytest.raises(ValidationError):
        PredictorCard(width=12, heads=5)
