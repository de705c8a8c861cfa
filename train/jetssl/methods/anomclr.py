"""AnomalyCLR: pairs of views, and an anomalous version of each jet (arXiv:2301.04660).

Letters: B rows of all processes, P projected width.
"""

from collections.abc import Mapping
from typing import cast

import torch

from jetssl.common.collectives import gather
from jetssl.common.precision import at_least_single
from jetssl.config.objectives import AnomClrCard
from jetssl.data.tensors import PairBatch
from jetssl.losses.anomclr import anomclr, anomclr_plus
from jetssl.methods.two_views import PairMethod, weights_of_all


class AnomClr(PairMethod):
    """Encoder and projector see the anomalous jets, too."""

    def compare(self, first: torch.Tensor, second: torch.Tensor, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """AnomCLR, or AnomCLR+, of `first` and `second`, both `(B, P)`, and of the anomalous jets of the batch.

        Raises:
            ValueError: the batch has none.
        """
        if batch.anomalous is None:
            raise ValueError("the batch has no anomalous jets; make it with a `Look` that has the card's `anomalies`")
        settings = cast(AnomClrCard, self.card.objective)
        anomalous = gather(at_least_single(self.projector(self.encoder(*batch.anomalous).jet)))
        loss = anomclr_plus if settings.plus else anomclr
        return {"loss": loss(first, second, anomalous, settings.temperature, weights_of_all(batch))}
