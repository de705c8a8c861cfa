"""jetssl: learn jet representations from re-simulated pairs, and measure what they are worth.

The names below are what a notebook needs; each is imported when it is first used, as torch takes seconds to load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jetssl.config.card import Card, load_card
    from jetssl.config.evaluation import ProbeCard
    from jetssl.data.table import load_pairs
    from jetssl.evaluation.embedding import embed
    from jetssl.evaluation.program import ProbeRequest, probe_run
    from jetssl.models.checkpoints import load_encoder
    from jetssl.training.pretrain import pretrain
    from jetssl.training.run_folder import RunFolder

__all__ = [
    "Card",
    "ProbeCard",
    "ProbeRequest",
    "RunFolder",
    "__version__",
    "embed",
    "load_card",
    "load_encoder",
    "load_pairs",
    "pretrain",
    "probe_run",
]

_MODULES: Final = {
    "Card": "config.card",
    "ProbeCard": "config.evaluation",
    "ProbeRequest": "evaluation.program",
    "RunFolder": "training.run_folder",
    "embed": "evaluation.embedding",
    "load_card": "config.card",
    "load_encoder": "models.checkpoints",
    "load_pairs": "data.table",
    "pretrain": "training.pretrain",
    "probe_run": "evaluation.program",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("resim.common.versions").resim_version()
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
