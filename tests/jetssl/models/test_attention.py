"""Attention against that of torch."""

import pytest
import torch
from torch import nn

from jetssl.data.ragged import Ragged
from jetssl.models.attention import Attention, padding_bias


@pytest.fixture
def attentions():
    torch.manual_seed(2)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).double()
    nn.init.normal_(theirs.in_proj_bias)
    nn.init.normal_(theirs.out_proj.bias)
    ours = Attention(8, 2, dropout=0.5).double()
    ours.load_state_dict({name.replace("in_proj_", "in_proj."): v for name, v in theirs.state_dict().items()})
    return ours, theirs


VALID = torch.arange(5) < torch.tensor([5, 2, 3])[:, None]


HIDDEN = torch.zeros(3, 5, dtype=torch.float64).masked_fill(~VALID, -torch.inf)


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("padded", [True, False])
def test_self_attention_equals_torch(attentions, explicit, with_bias, padded):
    """Through torch's function, and through the one for dropout with nothing dropped."""
    ours, theirs = attentions
    ours.train(explicit).dropout.forward = lambda weights: weights
    tokens = torch.randn(3, 5, 8, dtype=torch.float64)
    bias = torch.randn(3, 2, 5, 5, dtype=torch.float64) if with_bias else None
    mask = bias.flatten(0, 1) if with_bias else None
    padding = HIDDEN if padded else None
    wanted, _ = theirs(tokens, tokens, tokens, key_padding_mask=padding, attn_mask=mask, need_weights=False)
    ragged = Ragged.of(VALID if padded else torch.ones_like(VALID))
    (bucket,) = ragged.buckets
    hidden = padding_bias(bucket)
    assert (hidden is None) == (not padded)
    given = hidden if bias is None else bias[ragged.order] + (0 if hidden is None else hidden)
    found = ours(ragged.flatten(tokens), bucket, given)
    torch.testing.assert_close(found, ragged.flatten(wanted))


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("queries", [1, 4])
def test_summary_equals_torch(attentions, padded, queries):
    ours, theirs = attentions
    query, tokens = torch.randn(3, queries, 8, dtype=torch.float64), torch.randn(3, 5, 8, dtype=torch.float64)
    padding = HIDDEN if padded else None
    wanted, _ = theirs(query, tokens, tokens, key_padding_mask=padding, need_weights=False)
    found = ours.summarize(query, tokens, HIDDEN[:, None, None] if padded else None)
    torch.testing.assert_close(found, wanted)


def test_scale_multiplies_the_result(attentions):
    ours, _ = attentions
    ours.eval()
    tokens, scale = torch.randn(2, 3, 8, dtype=torch.float64), torch.randn(8, dtype=torch.float64)
    ragged = Ragged.of(torch.ones(2, 3, dtype=torch.bool))
    rows, (bucket,) = ragged.flatten(tokens), ragged.buckets
    torch.testing.assert_close(ours(rows, bucket, None, scale), scale * ours(rows, bucket, None))
    query = tokens[:, :1]
    torch.testing.assert_close(
        ours.summarize(query, tokens, None, scale), scale * ours.summarize(query, tokens, None)
    )


def test_bias_of_another_dtype_is_read_as_numbers(attentions):
    ours = attentions[0].eval()
    ragged = Ragged.of(VALID)
    rows = torch.randn(len(ragged.jet), 8, dtype=torch.float64)
    (bucket,) = ragged.buckets
    hidden = padding_bias(bucket)
    assert hidden.dtype == torch.float32
    torch.testing.assert_close(ours(rows, bucket, hidden), ours(rows, bucket, hidden.double()))


def test_no_bias_without_padding():
    assert padding_bias(Ragged.of(torch.ones(2, 3, dtype=torch.bool)).buckets[0]) is None
