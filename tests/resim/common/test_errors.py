import re

import pytest
from pydantic import BaseModel, ValidationError

from resim.common.errors import reason_of


class Model(BaseModel):
    numbers: list[int]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"numbers": [1, "x"]}', "numbers.1: Input should be a valid integer, unable to parse.*, not 'x'"),
        ("{}", "numbers: Field required"),
        ("{", "Invalid JSON: EOF .*"),
    ],
)
def test_of_a_model_the_place_and_the_value(content, reason):
    with pytest.raises(ValidationError) as caught:
        Model.model_validate_json(content)
    assert re.fullmatch(reason, reason_of(caught.value)), reason_of(caught.value)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("one\ntwo"), "one"),
        (EOFError(), "EOFError"),
        (ValueError("bell \a and \x1b[31mred"), "bell ? and ?[31mred"),
        (ValueError(1000 * "x"), 150 * "x"),
    ],
)
def test_of_others_one_printable_line(error, reason):
    assert reason_of(error) == reason
