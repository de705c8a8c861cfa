"""Sections of the encoders."""

import pytest
from pydantic import ValidationError

from jetssl.config.encoders import TransformerCard


def test_heads_divide_the_width():
    assert TransformerCard(width=12, heads=3).width == 12
    with pytest.raises(ValidationError):
        TransformerCard(width=12, heads=5)
