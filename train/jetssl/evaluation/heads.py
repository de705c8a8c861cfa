"""What is trained on the jet vector for a task: a linear map, or the perceptrons of published systems.

A head gives an output for each class; for two classes one output, the logit of the first class against the second.

Letters: B jets, D width of the vectors, C classes, O outputs (C, or 1 for two classes).
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from torch import nn
from torch.nn import functional

from jetssl.common.devices import device_of
from jetssl.config.evaluation import HeadName
from jetssl.config.projectors import ProjectorCard
from jetssl.models.projector import Projector
from resim.common.arrays import Floats, Floats32, Integers

HIDDEN: Final[dict[HeadName, tuple[int, ...]]] = {
    "linear": (),
    "rs3l": (),
    "rs3l-mlp": (128, 64, 32, 8),
    "resim": (128,),
}
"""Hidden sizes. `linear` (JetCLR's, arXiv:2108.04253) reads the jet vector, the others the projected one: RS3L's two
(arXiv:2403.07066) divided by its length; that of the re-simulation talk has 1,281 parameters behind its 8 numbers."""
INVERSE_L2: Final = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""scikit-learn's C of the linear probe; the validation loss chooses."""


class UnitLength(nn.Module):
    """Vectors divided by their length."""

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """`(B, D)` → `(B, D)`."""
        return functional.normalize(vectors, dim=-1)


class Head(nn.Module):
    """Jet vector to outputs.

    Args:
        projection: what is pre-trained of it, `(B, D)` → `(B, P)`.
        output: what is not, `(B, P)` → `(B, O)`.
    """

    def __init__(self, projection: nn.Module, output: nn.Module) -> None:
        super().__init__()
        self.projection, self.output = projection, output

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """`(B, D)` → `(B, O)`."""
        outputs: torch.Tensor = self.output(self.projection(vectors))
        return outputs


def build_head(name: HeadName, width: int, card: ProjectorCard, n_classes: int) -> Head:
    """A head with fresh weights.

    Args:
        name: which one.
        width: D.
        card: of the projector of the pre-training, for heads that read projected vectors.
        n_classes: C.
    """
    n_outputs = n_classes if n_classes > 2 else 1
    if name == "linear":
        return Head(nn.Identity(), nn.Linear(width, n_outputs))
    projection: list[nn.Module] = [Projector(width, card)]
    if name != "resim":
        projection.append(UnitLength())
    return Head(nn.Sequential(*projection), perceptron(card.output, HIDDEN[name], n_outputs))


def perceptron(width: int, hidden: tuple[int, ...], n_outputs: int) -> nn.Module:
    """Linear maps with ReLU between them; a linear map if there is nothing hidden."""
    layers: list[nn.Module] = []
    for before, after in pairwise((width, *hidden)):
        layers += [nn.Linear(before, after), nn.ReLU()]
    last = nn.Linear(hidden[-1] if hidden else width, n_outputs)
    return nn.Sequential(*layers, last) if hidden else last


def class_logits(outputs: torch.Tensor) -> torch.Tensor:
    """Outputs `(B, O)` as logits of every class, `(B, C)`: of two, that of the second is 0."""
    return functional.pad(outputs, (0, 1)) if outputs.shape[-1] == 1 else outputs


def cross_entropy(outputs: torch.Tensor, classes: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean cross-entropy of outputs `(B, O)` with classes, int64 `(B,)`; they may have weights, `(B,)`."""
    if weights is None:
        return functional.cross_entropy(class_logits(outputs), classes)
    of_jets = functional.cross_entropy(class_logits(outputs), classes, reduction="none")
    return (of_jets * weights).sum() / weights.sum()


def fit_linear(
    labelled: Floats32,
    classes: Integers,
    validation: Floats32,
    validation_classes: Integers,
    weights: tuple[Floats, Floats] | None = None,
) -> nn.Linear:
    """Multinomial logistic regression on standardized vectors, its penalty chosen by the validation loss.

    Args:
        labelled: vectors `(B, D)`.
        classes: int64 `(B,)`, 0 to C - 1; each occurs.
        validation: vectors of other jets, `(B', D)`.
        validation_classes: int64 `(B',)`.
        weights: of the labelled and of the validation jets, none negative; None: all count alike.

    Returns:
        The regression as a linear map of vectors that are not standardized, `(B, D)` → `(B, O)`.
    """
    scaler = StandardScaler().fit(labelled.astype(np.float64))
    inputs = scaler.transform(labelled.astype(np.float64))
    targets = classes == 0 if classes.max() == 1 else classes
    heads = []
    counted, held_out = (None, None) if weights is None else (weights[0] / weights[0].mean(), weights[1])
    found = LogisticRegression(max_iter=2000, warm_start=True)
    for strength in INVERSE_L2:
        # BLAS threads spin while they wait for each other: beside other programs they took twelve times as long.
        with threadpool_limits(1, "blas"):
            found.set_params(C=strength).fit(inputs, targets, sample_weight=counted)
        weight = found.coef_ / scaler.scale_
        head = nn.Linear(labelled.shape[1], len(weight))
        with torch.no_grad():
            head.weight.copy_(torch.from_numpy(weight))
            head.bias.copy_(torch.from_numpy(found.intercept_ - weight @ scaler.mean_))
        heads.append(head)
    return min(heads, key=lambda head: loss_of(head, validation, validation_classes, held_out))


@torch.inference_mode()
def outputs_of(head: nn.Module, vectors: Floats32) -> npt.NDArray[np.float64]:
    """Outputs for vectors `(B, D)`: float64 `(B, C)`, or `(B,)` for two classes."""
    outputs = np.asarray(head(torch.from_numpy(vectors).to(device_of(head))).double().cpu().numpy())
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs


@torch.inference_mode()
def loss_of(head: nn.Module, vectors: Floats32, classes: Integers, weights: Floats | None = None) -> float:
    """Cross-entropy for vectors `(B, D)` with classes, int64 `(B,)`, and weights of these, `(B,)`."""
    counted = None if weights is None else torch.from_numpy(weights)
    outputs = head(torch.from_numpy(vectors).to(device_of(head))).double().cpu()
    return float(cross_entropy(outputs, torch.from_numpy(classes), counted))
