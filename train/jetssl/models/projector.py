"""The projector: between the jet vector and the objective, thrown away after pre-training (arXiv:2002.05709).

Letters: B jets, D model width, P projected width.
"""

from torch import nn

from jetssl.config import ProjectorCard


class Projector(nn.Sequential):
    """Two-layer perceptron `(B, D)` → `(B, P)`."""

    def __init__(self, width: int, card: ProjectorCard) -> None:
        super().__init__(nn.Linear(width, card.hidden), nn.GELU(), nn.Linear(card.hidden, card.output))
