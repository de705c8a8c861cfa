"""Section `objective`: one model for each loss, which also says how to name and read the loss.

Letters: B rows in a batch, K classes.
"""

from math import log
from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from jetssl.config.projectors import PredictorCard
from resim.common.cards import CardModel

Share = Annotated[float, Field(gt=0, lt=1)]


class ObjectiveSection(CardModel):
    """Base of the section of every objective, whose `name` is that of the objective; each key has a default."""

    model_config = ConfigDict(use_attribute_docstrings=True)  # what `jetssl objectives` says of an option

    title: ClassVar[str] = "Loss"
    """of the loss, on the axis of a figure"""
    reads_labels: ClassVar[bool] = False
    """whether the loss depends on the classes of the rows"""
    epochs_compare: ClassVar[bool] = True
    """whether the losses of two epochs tell which encoder is better; if not, the last one counts as the best"""
    beside_encoder: ClassVar[str] = "projector"
    """key of the card that has the sizes of what is trained beside the encoder"""

    @property
    def jets_per_row(self) -> int:
        """2 if the objective compares two views of a row, 1 if it looks at one jet at a time."""
        return 2

    @property
    def versions(self) -> int:
        """Jets that are made of a row, all of which pass through the encoder: its views, unless there are more."""
        return self.jets_per_row

    def chance(self, batch_size: int, n_classes: int) -> float | None:  # noqa: ARG002
        """The loss of a network that knows nothing; None if the objective has no such value.

        Args:
            batch_size: B.
            n_classes: K.
        """
        return None


class _ContrastiveCard(ObjectiveSection):
    def chance(self, batch_size: int, n_classes: int) -> float:  # noqa: ARG002
        """log(2B - 1): each of the other 2B - 1 jets is as similar."""
        return log(2 * batch_size - 1)


class NtXentCard(_ContrastiveCard):
    """SimCLR's loss (arXiv:2002.05709, eq. 1) on pairs of views."""

    title: ClassVar[str] = "NT-Xent loss"
    name: Literal["ntxent"] = "ntxent"
    temperature: float = Field(0.1, gt=0)


class VicregCard(ObjectiveSection):
    """Variance-invariance-covariance regularization (arXiv:2105.04906) on pairs of views, published weights."""

    title: ClassVar[str] = "VICReg loss"
    name: Literal["vicreg"] = "vicreg"
    invariance: float = Field(25.0, ge=0)
    variance: float = Field(25.0, ge=0)
    covariance: float = Field(1.0, ge=0)


class SigregCard(ObjectiveSection):
    """LeJEPA (arXiv:2511.08544) on pairs of views: they predict each other, and all together are normal.

    Its loss is (1 - sigreg) * prediction + sigreg * SIGReg (its sec. 5), with the published default.
    """

    title: ClassVar[str] = "LeJEPA loss"
    name: Literal["sigreg"] = "sigreg"
    sigreg: Share = 0.05
    """lambda of the paper"""
    directions: int = Field(1024, ge=1, le=65536)
    """that embeddings are projected on, drawn anew in every step"""


class SupConCard(_ContrastiveCard):
    """Supervised contrastive loss (arXiv:2004.11362, eq. 2): jets of a class attract each other."""

    title: ClassVar[str] = "Supervised contrastive loss"
    reads_labels: ClassVar[bool] = True
    name: Literal["supcon"] = "supcon"
    temperature: float = Field(0.1, gt=0)


class SupervisedCard(ObjectiveSection):
    """Cross-entropy of a linear layer on the jet vector; no projector."""

    title: ClassVar[str] = "Cross-entropy"
    reads_labels: ClassVar[bool] = True
    name: Literal["supervised"] = "supervised"

    @property
    def jets_per_row(self) -> int:
        """1."""
        return 1

    def chance(self, batch_size: int, n_classes: int) -> float:  # noqa: ARG002
        """Log K: every class is as probable."""
        return log(n_classes)


class HidingCard(ObjectiveSection):
    """What objectives share that guess hidden constituents."""

    masking: Literal["random", "contiguous", "kt_subjets"] = "random"
    """which constituents are hidden: any; the nearest ones of a random one; or kT subjets"""
    masked: tuple[Share, Share] = (0.3, 0.5)
    """smallest and largest share of hidden constituents; every jet has its own"""
    subjet_radius: float = Field(0.2, gt=0)
    """R of the kT subjets"""
    pid: float = Field(1.0, ge=0)
    """weight of the loss of the type of hidden constituents"""

    @model_validator(mode="after")
    def _smaller_first(self) -> Self:
        if self.masked[0] > self.masked[1]:
            raise ValueError(f"masked is {list(self.masked)}: want the smaller share first")
        return self


class JepaCard(HidingCard):
    """P-JEPA: predict what an averaged encoder makes of hidden constituents; defaults as in the talk.

    The published scheme for images is arXiv:2301.08243, whose average and smooth-L1 loss are taken over.
    """

    title: ClassVar[str] = "P-JEPA loss"
    epochs_compare: ClassVar[bool] = False
    beside_encoder: ClassVar[str] = "objective.predictor"
    name: Literal["jepa"] = "jepa"
    target: Literal["same_view", "other_view"] = "same_view"
    """whose constituents are predicted: the hidden ones of the jet that is seen, or ones of another simulation of its
    hard scatter"""
    particle: float = Field(1.0, ge=0)
    """weight of the loss of hidden constituents"""
    aggregated: float = Field(1.0, ge=0)
    """weight of the loss of the jet vector"""
    variance: float = Field(0.0, ge=0)
    """weight of VICReg's variance term of the jet vectors, against collapse"""
    covariance: float = Field(0.0, ge=0)
    """weight of its covariance term"""
    sigreg: float = Field(0.0, ge=0)
    """weight of SIGReg (arXiv:2511.08544) of the jet vectors, against collapse, too"""
    average: float = Field(0.996, ge=0, lt=1)
    """decay per step of the moving average of weights that makes the targets; rises to 1 at the end"""
    predictor: PredictorCard = PredictorCard()

    @property
    def jets_per_row(self) -> int:
        """2 if the targets are of another view."""
        return 2 if self.target == "other_view" else 1

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        if not self.particle + self.aggregated + self.pid:
            raise ValueError("particle, aggregated and pid are 0: nothing is left to learn")
        return self


class MpmCard(HidingCard):
    """Masked particle modelling (arXiv:2401.13537): predict features and type of hidden constituents."""

    title: ClassVar[str] = "Masked particle loss"
    beside_encoder: ClassVar[str] = "objective.predictor"
    name: Literal["mpm"] = "mpm"
    regression: float = Field(1.0, ge=0)
    """weight of the loss of the other features"""
    predictor: PredictorCard = PredictorCard()

    @property
    def jets_per_row(self) -> int:
        """1."""
        return 1

    @model_validator(mode="after")
    def _something_to_learn(self) -> Self:
        if not self.regression + self.pid:
            raise ValueError("regression and pid are 0: nothing is left to learn")
        return self


class AnomaliesCard(CardModel):
    """Anomalous versions of jets, or of whole events, one kind each, all that are on as likely.

    See `jetssl.data.anomalies` for the first three, `jetssl.data.event_anomalies` for the others.
    """

    drop: float = Field(0.3, ge=0, lt=1)
    """probability of a constituent to be left out"""
    shift: float = Field(0.6, ge=0)
    """largest shift, in eta and in phi, of the constituents around one of them"""
    exponent: float = Field(1.5, gt=0)
    """power of pT that replaces pT; 1: none"""
    add_objects: bool = False
    """of events: further electrons, muons and jets, which the missing energy balances"""
    split_objects: bool = False
    """of events: objects become two, with the same sums of pT and the same missing energy"""
    scale_pt: float = Field(1.0, ge=1)
    """of events: largest factor of the missing energy, of all other momenta, or of both; 1: none"""

    @property
    def of_events(self) -> bool:
        """Whether a kind is on that jets do not have."""
        return self.add_objects or self.split_objects or self.scale_pt > 1

    @model_validator(mode="after")
    def _something_strange(self) -> Self:
        if not (self.drop or self.shift or self.exponent != 1 or self.of_events):
            raise ValueError("drop and shift are 0, exponent is 1, no kind for events is on: nothing is anomalous")
        return self


class AnomClrCard(ObjectiveSection):
    """AnomCLR, and AnomCLR+ (arXiv:2301.04660), on pairs of views and an anomalous version of each jet."""

    title: ClassVar[str] = "AnomCLR loss"
    name: Literal["anomclr"] = "anomclr"
    plus: bool = False
    """AnomCLR+, which looks at no other jets"""
    temperature: float = Field(0.1, gt=0)
    anomalies: AnomaliesCard = AnomaliesCard()

    @property
    def versions(self) -> int:
        """Both views, and the anomalous jet."""
        return self.jets_per_row + 1


class DinoCard(ObjectiveSection):
    """Self-distillation on pairs of views (DINO, arXiv:2104.14294)."""

    title: ClassVar[str] = "DINO loss"
    epochs_compare: ClassVar[bool] = False
    beside_encoder: ClassVar[str] = "objective.prototypes"
    name: Literal["dino"] = "dino"
    prototypes: int = Field(256, ge=2, le=65536)
    """directions that projected vectors are compared with"""
    student_temperature: float = Field(0.1, gt=0)
    teacher_temperature: float = Field(0.04, gt=0)
    centre: float = Field(0.9, ge=0, lt=1)
    """decay per step of the mean of the teacher's outputs, which is subtracted from them"""
    average: float = Field(0.996, ge=0, lt=1)
    """decay per step of the moving average of weights that is the teacher; rises to 1 at the end"""
    koleo: float = Field(0.1, ge=0)
    """weight of KoLeo, which pushes the nearest jets apart; as in DINOv2 (arXiv:2304.07193)"""


ObjectiveCard = (
    NtXentCard | VicregCard | SigregCard | SupConCard | SupervisedCard | JepaCard | MpmCard | DinoCard | AnomClrCard
)
"""The loss."""
