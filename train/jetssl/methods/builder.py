"""Methods by the name of the objective that a card uses."""

from jetssl.methods.method import Method
from jetssl.methods.pairs import Contrastive, SupCon, Vicreg
from jetssl.methods.supervised import Supervised

METHODS: dict[str, type[Method]] = {
    "ntxent": Contrastive,
    "vicreg": Vicreg,
    "supcon": SupCon,
    "supervised": Supervised,
}
