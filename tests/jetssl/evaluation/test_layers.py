import numpy as np
import pytest
import torch

from jetssl.evaluation.layers import ENCODER, Layer, apply, fresh_layer, parse_layer, trained_layer
from jetssl.models.checkpoints import load_projector
from resim.common.errors import InputError


def test_names():
    assert parse_layer("encoder") == ENCODER
    assert parse_layer("projector.12") == Layer(12)
    for text in ("projector", "projector.0", "projector.-1", "head", ""):
        with pytest.raises(InputError, match=f"--layer {text}: want `encoder`"):
            parse_layer(text)


def test_layers_of_a_run(finished_run, rng):
    vectors = rng.normal(size=(5, 16)).astype(np.float32)
    projector = load_projector(finished_run.best)
    assert apply(trained_layer(finished_run, ENCODER), vectors) is not None
    np.testing.assert_array_equal(apply(trained_layer(finished_run, ENCODER), vectors), vectors)
    with torch.inference_mode():
        first = torch.nn.functional.gelu(projector[0](torch.from_numpy(vectors)))
        last = projector(torch.from_numpy(vectors))
    np.testing.assert_allclose(apply(trained_layer(finished_run, Layer(1)), vectors), first, rtol=1e-6)
    np.testing.assert_allclose(apply(trained_layer(finished_run, Layer(2)), vectors), last, rtol=1e-6)
    with pytest.raises(InputError, match=r"--layer projector\.3: the projector has 2 linear maps"):
        trained_layer(finished_run, Layer(3))


def test_fresh_weights(finished_run, rng):
    vectors = rng.normal(size=(5, 16)).astype(np.float32)
    card = finished_run.load_card()
    one, same, other = (apply(fresh_layer(card, Layer(2), seed), vectors) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)
    assert one.shape == (5, card.projector.output)
