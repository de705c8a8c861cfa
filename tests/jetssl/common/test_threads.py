"""Threads are given back."""

import pytest
import torch

from jetssl.common.threads import torch_threads


def test_threads_inside_and_after():
    before = torch.get_num_threads()
    with torch_threads(3):
        assert torch.get_num_threads() == 3
    assert torch.get_num_threads() == before
    with pytest.raises(RuntimeError), torch_threads(2):
        raise RuntimeError
    assert torch.get_num_threads() == before
