"""Encoders as ONNX graphs."""

from functools import cache

import onnx
import onnxruntime
import pytest
import torch

from jetssl.exchange import onnx_graph as module
from jetssl.exchange.example import random_jets
from jetssl.exchange.onnx_graph import TOLERANCE, difference, onnx_graph
from resim.common.errors import InputError
from tests.helpers.encoders import built

N_FEATURES = 10
SIZES = {
    "part": {"layers": 1, "class_layers": 1},
    "particlenet": {"channels": ((8, 8),)},
    "padded": {"channels": ((8, 8),)},
    "continuous": {"layers": 1},
}
"""Small ones: torch takes seconds for every layer."""


@cache
def graph_of(name):
    return onnx_graph(built(name, **SIZES.get(name, {})), N_FEATURES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["continuous", "interaction_network", "padded", "part", "particlenet"]
)  # all operations
def test_graphs_give_the_numbers_of_torch(name):
    """For other numbers of jets and constituents than were traced; and no path of this machine is in the file."""
    encoder, graph = built(name, **SIZES.get(name, {})), graph_of(name)
    assert difference(encoder, graph, N_FEATURES) <= TOLERANCE
    onnx.checker.check_model(onnx.load_from_string(graph))
    assert b"jetssl/" not in graph
    session = onnxruntime.InferenceSession(graph)
    shapes = {value.name: value.shape for value in (*session.get_inputs(), *session.get_outputs())}
    both = ["jets", "constituents"]
    assert shapes["features"] == [*both, N_FEATURES]
    assert shapes["momenta"] == [*both, 4]
    assert shapes["mask"] == both
    assert shapes["jet"] == ["jets", encoder.width]
    batch = random_jets((2, 2), N_FEATURES)
    broken = dict(zip(module.INPUTS, (batch.features.double(), *batch[1:3]), strict=True))
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument):
        session.run(None, {key: value.numpy() for key, value in broken.items()})


@pytest.mark.slow
def test_layers_of_a_package_give_the_numbers_of_torch():
    """Those of OmniLearned, of which jets of one constituent were NaN."""
    encoder = built("omnilearned", layers=1, interactions=True)
    assert difference(encoder, onnx_graph(encoder, 9), 9) <= TOLERANCE


def test_an_operation_that_onnx_runtime_lacks_is_said():
    """As asinh in double precision, of `lloca_part`."""
    jet, tokens = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, None) for name in module.OUTPUTS)
    nodes = [onnx.helper.make_node("Asinh", ["momenta"], [name]) for name in module.OUTPUTS]
    momenta = onnx.helper.make_tensor_value_info("momenta", onnx.TensorProto.DOUBLE, None)
    graph = onnx.helper.make_graph(nodes, "asinh", [momenta], [jet, tokens])
    opset = [onnx.helper.make_opsetid("", 18)]
    content = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    with pytest.raises(InputError, match=r"ONNX Runtime .* lacks an operation of it .*Asinh.*; take --format"):
        module._refuse_other_numbers(built("lloca_part"), content, N_FEATURES)


@pytest.mark.slow
def test_other_weights_are_found():
    """A graph of another encoder is refused with the distance."""
    encoder, graph = built("interaction_network"), graph_of("interaction_network")
    with torch.no_grad():
        next(encoder.parameters()).mul_(1.001)
    assert TOLERANCE < difference(encoder, graph, N_FEATURES) < 0.1
    with pytest.raises(InputError, match=r"differs from torch by .* want 1e-05 at most; take --format safetensors"):
        module._refuse_other_numbers(encoder, graph, N_FEATURES)


def test_a_graph_that_gives_no_numbers_is_refused(monkeypatch):
    class Session:
        def __init__(self, *_, **__):
            pass

        def run(self, _, inputs):
            n_jets, n = inputs["mask"].shape
            jet = torch.full((n_jets, 16), torch.nan if n == 17 else 0.0)
            return jet.numpy(), torch.zeros(n_jets, n, 16).numpy()

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    with pytest.raises(InputError, match="differs from torch by nan"):
        module._refuse_other_numbers(built("transformer"), b"", N_FEATURES)


def test_what_torch_cannot_translate_is_one_line(monkeypatch):
    def fails(*_, **__):
        raise torch.onnx.OnnxExporterError("no function for this\nand many more lines")

    monkeypatch.setattr(torch.onnx, "export", fails)
    with pytest.raises(InputError, match=r"encoder Normalized: .* ONNX \(no function for this\); take --format"):
        onnx_graph(built("transformer"), N_FEATURES)
