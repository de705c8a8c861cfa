"""State dicts of other programs, and what is said of those that do not fit."""

import pytest
import torch

from jetssl.config.encoders import TransformerCard
from jetssl.models.foreign_state import count, numbers, refuse_misfit, section, single, size
from resim.common.errors import InputError

STATE = {"blocks.0.weight": torch.ones(3, 2), "blocks.2.weight": torch.ones(4), "norm": torch.ones(1)}
SHAPES = {name: tuple(value.shape) for name, value in STATE.items()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"norm": None}, "misses norm$"),
        (dict.fromkeys(STATE), r"misses blocks\.0\.weight, blocks\.2\.weight, norm$"),
        ({f"more{i}": torch.ones(1) for i in range(5)}, "beyond this network, more0, more1, more2 and 2 more$"),
        ({"norm": torch.ones(2, 1)}, r"another shape of norm \(2, 1\) instead of \(1,\)$"),
        ({"norm": torch.tensor([torch.nan])}, "not finite in norm$"),
    ],
)
def test_misfits_are_named(changes, message):
    refuse_misfit(STATE, SHAPES)
    state = {name: value for name, value in (STATE | changes).items() if value is not None}
    with pytest.raises(InputError, match=message):
        refuse_misfit(state, SHAPES)


def test_sizes_of_shapes():
    assert (size(STATE, "blocks.0.weight"), size(STATE, "blocks.0.weight", 1), size(STATE, "norm", 1)) == (3, 2, 0)
    assert (count(STATE, "blocks"), numbers(STATE, "blocks"), count(STATE, "norm")) == (3, {0, 2}, 0)
    with pytest.raises(InputError, match="misses none"):
        size(STATE, "none")
    assert section(TransformerCard, {"width": 8}).width == 8
    with pytest.raises(InputError, match=r"has impossible sizes: .*not a multiple of heads"):
        section(TransformerCard, {"width": 6})


def test_single_precision():
    assert single(torch.ones(1, dtype=torch.float64)).dtype == torch.float32
    assert single(torch.ones(1, dtype=torch.int64)).dtype == torch.int64
