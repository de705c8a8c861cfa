"""What lightly's losses say of a few embeddings: values and gradients, kept in `lightly.json`.

lightly itself cannot be a dependency: it requires torchvision, whose only wheels in the package index are linked to
torch's CUDA libraries. Beside torch's CPU build `import torchvision` fails, and with it `import lightning`, which
imports torchvision as soon as it is installed. In an environment where lightly works:

    python -m tests.helpers.record_lightly > tests/data/lightly.json
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

RECORD = Path(__file__).parents[1] / "data/lightly.json"
TEMPERATURES = (0.05, 0.1, 0.5, 2.0)
SCALES = (0.3, 1.0, 3.0)
"""Of the embeddings: below, around and above the spread that VICReg wants."""


def embeddings(scale: float = 1.0) -> torch.Tensor:
    """Two views of six rows in five dimensions, without random numbers: float64 `(2, 6, 5)`."""
    return scale * torch.sin(1.7 * torch.arange(60, dtype=torch.float64) ** 1.1).view(2, 6, 5)


def value_and_gradient(
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], scale: float = 1.0
) -> dict[str, Any]:
    """The loss of both views, and its gradient `(2, 6, 5)` as lists."""
    views = embeddings(scale).requires_grad_()
    value = loss(views[0], views[1])
    value.backward()
    return {"value": value.item(), "gradient": views.grad.tolist()}


def main() -> None:
    """Print what lightly says."""
    from importlib.metadata import version

    from lightly.loss.ntx_ent_loss import NTXentLoss
    from lightly.loss.vicreg_loss import VICRegLoss

    record = {
        "lightly": version("lightly"),
        "ntxent": {str(t): value_and_gradient(NTXentLoss(temperature=t)) for t in TEMPERATURES},
        "vicreg": {str(s): value_and_gradient(VICRegLoss(), s) for s in SCALES},
    }
    sys.stdout.write(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
