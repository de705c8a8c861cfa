"""The projector: a perceptron between jet vector and loss, not used after pre-training (arXiv:2002.05709).

Letters: B jets, D model width, P projected width.
"""

from itertools import pairwise

from torch import nn

from jetssl.config.projectors import ProjectorCard
from jetssl.models.batch_norm import BatchNorm

ACTIVATIONS = {"gelu": nn.GELU, "relu": nn.ReLU, "elu": nn.ELU}


class Projector(nn.Sequential):
    """Perceptron `(B, D)` → `(B, P)` without an activation at its end."""

    def __init__(self, width: int, card: ProjectorCard) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise((width, *card.hidden)):
            layers.append(nn.Linear(before, after))
            if card.batch_norm:
                layers.append(BatchNorm(after))
            layers.append(ACTIVATIONS[card.activation]())
        last = card.hidden[-1] if card.hidden else width
        super().__init__(*layers, nn.Linear(last, card.output))

    @property
    def depth(self) -> int:
        """Number of linear maps."""
        return sum(isinstance(layer, nn.Linear) for layer in self)

    def through(self, number: int) -> nn.Sequential:
        """The first so many linear maps, each with what follows it up to the next; at least one, at most `depth`."""
        starts = [place for place, layer in enumerate(self) if isinstance(layer, nn.Linear)]
        return nn.Sequential(*list(self)[: [*starts, len(self)][number]])
