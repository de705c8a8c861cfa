"""Alignment and uniformity on the sphere (arXiv:2005.10242) of two views of a row."""

from collections.abc import Mapping
from typing import ClassVar, Literal, cast

import torch
from pydantic import Field
from torch.nn import functional

from jetssl.config.objectives import ObjectiveSection
from jetssl.data.tensors import PairBatch
from jetssl.methods.two_views import PairMethod


class AlignUniformSection(ObjectiveSection):
    """Alignment and uniformity (arXiv:2005.10242, eq. 7 and 8) on pairs of views; rows count alike."""

    title: ClassVar[str] = "Alignment + uniformity"
    name: Literal["align_uniform"] = "align_uniform"
    weight: float = Field(1.0, ge=0)
    """of the uniformity"""


class AlignUniform(PairMethod):
    """Encoder and projector as of NT-Xent; the loss of what is projected."""

    section = AlignUniformSection

    def compare(self, first: torch.Tensor, second: torch.Tensor, batch: PairBatch) -> Mapping[str, torch.Tensor]:
        """Of two views `(B, P)` of each row of all processes."""
        settings = cast(AlignUniformSection, self.card.objective)
        one, other = (functional.normalize(view, dim=1) for view in (first, second))
        alignment = (one - other).square().sum(1).mean()
        spread = [torch.pdist(view).square().mul(-2).exp().mean().log() for view in (one, other)]
        uniformity = torch.stack(spread).mean()
        loss = alignment + settings.weight * uniformity
        return {"loss": loss, "alignment": alignment, "uniformity": uniformity}
