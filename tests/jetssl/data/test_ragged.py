"""Flat rows and buckets of a batch."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jetssl.data.ragged import Ragged


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=200), st.integers(0, 1000))
def test_rows_go_out_and_back(counts, seed):
    rng = np.random.default_rng(seed)
    mask = torch.from_numpy(rng.permuted(np.arange(9) < np.array(counts)[:, None], axis=1))
    values = torch.from_numpy(rng.normal(size=(*mask.shape, 2))) * mask[..., None]
    ragged = Ragged.of(mask)
    rows = ragged.flatten(values)
    assert torch.equal(ragged.pad(rows), values)
    torch.testing.assert_close(ragged.sum(rows), values.sum(1))
    pieces = ragged.split(rows)
    padded = [bucket.pad(piece) for bucket, piece in zip(ragged.buckets, pieces, strict=True)]
    for bucket, piece, filled in zip(ragged.buckets, pieces, padded, strict=True):
        assert torch.equal(bucket.flatten(filled), piece)
        assert filled.shape[1] == bucket.valid.sum(1).max()
        assert (filled[~bucket.valid] == 0).all()
    sums = torch.cat([filled.sum(1) for filled in padded])
    torch.testing.assert_close(ragged.restore(sums), values.sum(1))


def test_buckets_save_padding():
    counts = torch.arange(1, 129).repeat(2)
    ragged = Ragged.of(torch.arange(128) < counts[:, None])
    assert len(ragged.buckets) == 8
    assert sum(bucket.valid.numel() for bucket in ragged.buckets) < 1.2 * counts.sum()
    rows = [len(bucket.inside) for bucket in ragged.buckets]
    assert max(rows) - min(rows) <= 2 * 128
    assert ragged.starts == [0, *np.cumsum(rows)[:-1]]


def test_a_layout_moves_to_another_device():
    layout = Ragged.of(torch.arange(9) < torch.tensor([3, 9, 1, 4])[:, None])
    moved = layout.to("meta")
    assert moved.shape == layout.shape
    assert [bucket.sizes for bucket in moved.buckets] == [bucket.sizes for bucket in layout.buckets] == [(1, 3, 4, 9)]
    kept = [moved.order, moved.counts, moved.jet, moved.source, moved.buckets[0].valid, moved.buckets[0].inside]
    assert {tensor.device.type for tensor in kept} == {"meta"}


def test_few_long_jets_have_buckets_of_their_own():
    """Jets of cells are as many rows as whole batches of constituents are."""
    counts = torch.arange(80, 1000, 40)
    ragged = Ragged.of(torch.arange(1000) < counts[:, None])
    assert len(ragged.buckets) == 4
    assert sum(bucket.valid.numel() for bucket in ragged.buckets) < 1.25 * counts.sum()


@pytest.mark.slow
def test_who_evaluates_does_not_load_the_compiler():
    code = "import sys, jetssl.evaluation.program; sys.exit('torch._dynamo' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
