"""An encoder as an ONNX graph, for any number of jets and constituents, compared with torch before it is handed out.

Letters: B jets, N constituents, F features.
"""

import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, Final, cast

import numpy as np
import onnxruntime
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import NotImplemented as NotInRuntime
from onnxscript import opset18 as op
from torch.nn.attention import SDPBackend, sdpa_kernel

from jetssl.exchange.example import random_jets
from jetssl.exchange.padded import PaddedEncoder
from jetssl.models.encoder import Encoder
from resim.common.errors import InputError

INPUTS: Final = ("features", "momenta", "mask")
OUTPUTS: Final = ("jet", "tokens")
TOLERANCE: Final = 1e-5
"""Largest distance from torch's numbers, in units of the largest of them, or of 1."""
LENGTHS: Final = ((3, 1, 17), (1,), (64, 2, 2, 5, 30))
"""Constituents of the jets of the batches that are compared: other numbers of jets and lengths than were traced."""
_TRACED: Final = (5, 2)


def onnx_graph(encoder: Encoder, n_features: int) -> bytes:
    """The graph, with the normalization of the features; sizes B and N are free.

    Inputs `features` `(B, N, F)`, `momenta` `(B, N, 4)`, bool `mask` `(B, N)`; what is outside the mask must be
    finite. Outputs `jet` `(B, D)`, `tokens` `(B, N, D)`, 0 outside the mask.

    Args:
        encoder: on the CPU.
        n_features: F.

    Raises:
        InputError: torch cannot translate this encoder, or the graph gives other numbers than torch, or ONNX Runtime
            cannot run it.
    """
    try:
        program = _exported(encoder, n_features)
    except torch.onnx.OnnxExporterError as error:
        raise InputError(
            f"encoder {type(encoder).__name__}: torch {torch.__version__} cannot translate it to ONNX"
            f" ({str(error).splitlines()[0]}); take --format safetensors"
        ) from error
    if program is None:
        raise InputError(f"torch {torch.__version__} made no ONNX program; take --format safetensors")
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # where in the source, and on which machine, it was traced
    graph: bytes = program.model_proto.SerializeToString()
    _refuse_other_numbers(encoder, graph, n_features)
    return graph


def _exported(encoder: Encoder, n_features: int) -> Any:
    """What torch makes of the encoder, None if it gives up."""
    traced, sizes = random_jets(_TRACED, n_features), {0: "jets", 1: "constituents"}
    # The layout of tensors in memory that is traced must be that of the plain attention, which ONNX has.
    with _silent(), sdpa_kernel(SDPBackend.MATH), redirect_stdout(io.StringIO()):
        return torch.onnx.export(
            PaddedEncoder(encoder),
            tuple(traced[:3]),
            input_names=INPUTS,
            output_names=OUTPUTS,
            dynamic_shapes=dict.fromkeys(INPUTS, sizes),
            custom_translation_table=_TRANSLATIONS,
            opset_version=18,
            dynamo=True,
            verbose=False,
        )


def difference(encoder: Encoder, graph: bytes, n_features: int) -> float:
    """Largest distance of the graph's numbers from torch's on ragged batches, in units of the largest, or of 1."""
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    worst = 0.0
    for lengths in LENGTHS:
        batch = random_jets(lengths, n_features, seed=len(lengths))
        with torch.inference_mode():
            wanted = encoder(*batch)
        found = session.run(OUTPUTS, dict(zip(INPUTS, (values.numpy() for values in batch[:3]), strict=True)))
        for ours, theirs in zip((wanted.jet, wanted.tokens), found, strict=True):
            scale = max(float(ours.abs().max()), 1.0)
            worst = float(np.maximum(worst, np.abs(ours.numpy() - theirs).max() / scale))  # NaN stays
    return worst


def _refuse_other_numbers(encoder: Encoder, graph: bytes, n_features: int) -> None:
    try:
        worst = difference(encoder, graph, n_features)
    except NotInRuntime as error:
        raise InputError(
            f"encoder {type(encoder).__name__}: ONNX Runtime {onnxruntime.__version__} lacks an operation of it"
            f" ({str(error).splitlines()[0]}); take --format safetensors"
        ) from error
    if not worst <= TOLERANCE:
        raise InputError(
            f"the ONNX graph differs from torch by {worst:.2g} of the largest number, want {TOLERANCE:g} at most;"
            " take --format safetensors"
        )


def _hypot(one: Any, other: Any) -> Any:
    return op.Sqrt(op.Add(op.Mul(one, one), op.Mul(other, other)))


def _distances(one: Any, other: Any, *_: Any) -> Any:
    """Euclidean distances, `(B, N, C)` and `(B, M, C)` → `(B, N, M)`."""
    first, second, third = (cast(Any, op.Constant(value_ints=[axis])) for axis in (1, 2, 3))
    apart = op.Sub(op.Unsqueeze(one, second), op.Unsqueeze(other, first))
    return op.Sqrt(op.ReduceSum(op.Mul(apart, apart), third, keepdims=0))


_TRANSLATIONS: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    torch.ops.aten.hypot.default: _hypot,
    torch.ops.aten._cdist_forward.default: _distances,
}
"""Operations of our encoders that torch does not translate itself."""


@contextmanager
def _silent() -> Iterator[None]:
    """Without the exporter's remarks, e.g. that torchvision is not there."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
