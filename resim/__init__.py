"""resim: freeze a hard scatter, simulate what follows again, and store both outcomes as a pair."""

from importlib import import_module
from typing import Any

_PUBLIC = {
    "Detector": "resim.detector",
    "PairFile": "resim.pairfile.reader",
    "Particles": "resim.particles",
    "generate": "resim.run.generate",
}
"""What a notebook needs, and where it lives; imported when it is asked for, so that `import resim` stays light."""

__all__ = ["Detector", "PairFile", "Particles", "__version__", "generate"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("resim.common.versions").resim_version()
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
