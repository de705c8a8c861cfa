"""Section `objective`: one model for each loss."""

from typing import Literal

from pydantic import Field

from resim.common.cards import CardModel


class NtXentCard(CardModel):
    """SimCLR's loss (arXiv:2002.05709, eq. 1) on pairs of views."""

    name: Literal["ntxent"] = "ntxent"
    temperature: float = Field(0.1, gt=0)


class VicregCard(CardModel):
    """Variance-invariance-covariance regularization (arXiv:2105.04906) on pairs of views, published weights."""

    name: Literal["vicreg"] = "vicreg"
    invariance: float = Field(25.0, ge=0)
    variance: float = Field(25.0, ge=0)
    covariance: float = Field(1.0, ge=0)


class SupConCard(CardModel):
    """Supervised contrastive loss (arXiv:2004.11362, eq. 2): jets of a class attract each other."""

    name: Literal["supcon"] = "supcon"
    temperature: float = Field(0.1, gt=0)


class SupervisedCard(CardModel):
    """Cross-entropy of a linear layer on the jet vector; no projector."""

    name: Literal["supervised"] = "supervised"


ObjectiveCard = NtXentCard | VicregCard | SupConCard | SupervisedCard
"""The loss."""
