"""Methods by the name of the objective that a card uses."""

from jetssl.config import plugins
from jetssl.methods.anomclr import AnomClr
from jetssl.methods.base import Method
from jetssl.methods.dino import Dino
from jetssl.methods.jepa import Jepa
from jetssl.methods.mpm import Mpm
from jetssl.methods.supervised import Supervised
from jetssl.methods.two_views import Contrastive, Sigreg, SupCon, Vicreg

METHODS: dict[str, type[Method]] = {
    "ntxent": Contrastive,
    "vicreg": Vicreg,
    "sigreg": Sigreg,
    "supcon": SupCon,
    "supervised": Supervised,
    "jepa": Jepa,
    "mpm": Mpm,
    "dino": Dino,
    "anomclr": AnomClr,
}
"""Those of jetssl."""


def method_class(name: str) -> type[Method]:
    """The method of an objective: one of jetssl, or of an installed package.

    Raises:
        InputError: no package has it, or what it has is no method.
    """
    return METHODS.get(name) or plugins.load("objectives", name, Method)  # type: ignore[type-abstract]
