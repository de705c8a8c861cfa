"""`torch.compile` for encoders."""

from typing import Any, cast

from torch import nn

from resim.common.errors import InputError


def compile_in_place(module: nn.Module) -> None:
    """Let a module compile itself when it is first called; names in its state dict stay as they are.

    Shapes are dynamic: every batch has other lengths, and a graph for each would never end. What depends on the
    lengths of jets (`jetssl.models.ragged`) stays outside the graphs.

    Raises:
        InputError: there is no C++ compiler.
    """
    # Heavy, and not wanted by those who do not compile.
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        cast(Any, get_cpp_compiler)()
    except InvalidCxxCompiler as error:
        raise InputError(
            "training.compile: no C++ compiler found; install one (g++ or clang++), name it in the variable CXX, or"
            " set training.compile=false"
        ) from error
    module.compile(dynamic=True)
