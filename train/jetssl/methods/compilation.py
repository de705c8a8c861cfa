"""`torch.compile` for encoders."""

from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from jetssl.data.ragged import keep_lengths_out_of_graphs
from resim.common.errors import InputError


def compile_in_place(module: nn.Module) -> None:
    """Let a module compile itself when it is first called; names in its state dict stay as they are.

    Shapes are dynamic: every batch has other lengths, and a graph for each would never end. What depends on the
    lengths of jets (`jetssl.data.ragged`) stays outside the graphs.

    Raises:
        InputError: there is no C++ compiler, or it cannot build a small function.
    """
    # Heavy, and not wanted by those who do not compile.
    from torch._dynamo.exc import TorchDynamoException
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InductorError, InvalidCxxCompiler

    try:
        compiler = cast(Any, get_cpp_compiler)()
        torch.compile(torch.sin)(torch.zeros(2))
    except InvalidCxxCompiler as error:
        raise InputError(
            "training.compile: no C++ compiler found; install one (g++ or clang++), name it in the variable CXX, or"
            " set training.compile=false"
        ) from error
    except (InductorError, TorchDynamoException) as error:
        raise InputError(
            f"training.compile: {compiler} cannot build a small function; torch does not quote blanks in the paths of"
            f" its installation ({Path(torch.__file__).parent}) or cache (TORCHINDUCTOR_CACHE_DIR): move them, or set"
            " training.compile=false"
        ) from error
    keep_lengths_out_of_graphs()
    module.compile(dynamic=True)
