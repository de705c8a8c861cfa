"""Sections of the encoders."""

import pytest
from pydantic import ValidationError

from jetssl.config.encoders import ProjectorCard, TransformerCard


def test_a_number_is_one_hidden_layer():
    assert ProjectorCard(hidden=16).hidden == (16,)
    assert ProjectorCard(hidden=[16, 8]).hidden == (16, 8)


def test_heads_divide_the_width():
    assert TransformerCard(width=12, heads=3).width == 12
    with pytest.raises(ValidationError):
        TransformerCard(width=12, heads=5)
