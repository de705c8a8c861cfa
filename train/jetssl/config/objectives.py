"""Section `objective`: one model for each loss, which also says how to name and read the loss.

Letters: B rows in a batch, K classes.
"""

from math import log
from typing import ClassVar, Literal

from pydantic import Field

from resim.common.cards import CardModel


class _ObjectiveCard(CardModel):
    """What all objectives say of themselves."""

    title: ClassVar[str]
    """of the loss, on the axis of a figure"""
    jets_per_row: ClassVar[int] = 2
    """2 if the objective compares two views of a row, 1 if it looks at one jet at a time"""

    reads_labels: ClassVar[bool] = False
    """whether the loss depends on the classes of the rows"""

    def chance(self, batch_size: int, n_classes: int) -> float | None:  # noqa: ARG002
        """The loss of a network that knows nothing; None if the objective has no such value.

        Args:
            batch_size: B.
            n_classes: K.
        """
        return None


class _ContrastiveCard(_ObjectiveCard):
    def chance(self, batch_size: int, n_classes: int) -> float:  # noqa: ARG002
        """log(2B - 1): each of the other 2B - 1 jets is as similar."""
        return log(2 * batch_size - 1)


class NtXentCard(_ContrastiveCard):
    """SimCLR's loss (arXiv:2002.05709, eq. 1) on pairs of views."""

    title: ClassVar[str] = "NT-Xent loss"
    name: Literal["ntxent"] = "ntxent"
    temperature: float = Field(0.1, gt=0)


class VicregCard(_ObjectiveCard):
    """Variance-invariance-covariance regularization (arXiv:2105.04906) on pairs of views, published weights."""

    title: ClassVar[str] = "VICReg loss"
    name: Literal["vicreg"] = "vicreg"
    invariance: float = Field(25.0, ge=0)
    variance: float = Field(25.0, ge=0)
    covariance: float = Field(1.0, ge=0)


class SupConCard(_ContrastiveCard):
    """Supervised contrastive loss (arXiv:2004.11362, eq. 2): jets of a class attract each other."""

    title: ClassVar[str] = "Supervised contrastive loss"
    reads_labels: ClassVar[bool] = True
    name: Literal["supcon"] = "supcon"
    temperature: float = Field(0.1, gt=0)


class SupervisedCard(_ObjectiveCard):
    """Cross-entropy of a linear layer on the jet vector; no projector."""

    title: ClassVar[str] = "Cross-entropy"
    reads_labels: ClassVar[bool] = True
    jets_per_row: ClassVar[int] = 1
    name: Literal["supervised"] = "supervised"

    def chance(self, batch_size: int, n_classes: int) -> float:  # noqa: ARG002
        """Log K: every class is as probable."""
        return log(n_classes)


ObjectiveCard = NtXentCard | VicregCard | SupConCard | SupervisedCard
"""The loss."""
