"""Runs of weights that another program trained: its files are read without trust, the run is written last."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from jetssl.config.card import Card
from jetssl.config.data import DataCard, FeatureSet, ViewsCard
from jetssl.config.encoders import EncoderCard
from jetssl.config.objectives import SupervisedCard
from jetssl.models import checkpoints
from jetssl.models.checkpoints import write_checkpoint
from jetssl.training.provenance import ImportRecord, RunProvenance, record_of_import
from jetssl.training.run_folder import RunFolder
from resim.common.atomic_write import write_text
from resim.common.errors import InputError, reason_of
from resim.common.output_lock import locked

UNTRAINED: Final = -1
"""Epoch of a checkpoint that has no epoch of ours behind it."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file of another program."""

    program: str
    path: Path
    content: bytes

    @classmethod
    def read(cls, program: str, path: Path, wanted: str) -> "WeightsFile":
        """Read it.

        Args:
            program: as `jetssl import --from` calls it.
            path: the file.
            wanted: what it should be, for the message.

        Raises:
            InputError: it cannot be read.
        """
        try:
            return cls(program, path, path.read_bytes())
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); want {wanted}") from error

    def load(self) -> dict[Any, Any]:
        """What torch has saved in it, on the CPU, without executing anything.

        Raises:
            InputError: that is no dict, or an empty one.
        """
        try:
            found = torch.load(io.BytesIO(self.content), map_location="cpu", weights_only=True)
        except Exception as error:  # on foreign bytes torch's unpickler stumbles over anything
            raise InputError(f"no state dict of tensors ({reason_of(error)})") from error
        if not isinstance(found, dict) or not found:
            raise InputError(f"holds {type(found).__name__}, no state dict")
        return found

    @property
    def record(self) -> ImportRecord:
        """What the provenance of the run says of it."""
        sha256 = hashlib.sha256(self.content).hexdigest()
        return ImportRecord(program=self.program, path=str(self.path.resolve()), sha256=sha256)


def refuse_no_tensors(state: Mapping[Any, Any]) -> None:
    """See whether names and tensors are all that a state dict holds.

    Raises:
        InputError: names what is none.
    """
    if strange := [name for name, value in state.items() if not isinstance(name, str) or not torch.is_tensor(value)]:
        raise InputError(f"entry {strange[0]!r} is no tensor")


def imported_card(features: FeatureSet, encoder: EncoderCard) -> Card:
    """Card of a classifier that reads features as they are; fine-tuned without augmentations, as it was trained."""
    return Card(
        data=DataCard(files=(), features=features, normalize=False),
        views=ViewsCard(source="resim"),
        encoder=encoder,
        objective=SupervisedCard(),
    )


@dataclass(frozen=True, slots=True)
class Imported:
    """A trained classifier as our checkpoints hold it."""

    card: Card
    classes: tuple[str, ...]
    """of its outputs"""
    state: dict[str, torch.Tensor]
    """tensors by our names: `encoder.*`, `classifier.*`"""
    encoder: nn.Module
    classifier: nn.Module
    packages: Mapping[str, str] = field(default_factory=dict)
    """versions of further packages that the numbers depend on"""

    def write(self, record: ImportRecord, run: RunFolder, *, force: bool) -> RunProvenance:
        """Make a run; it lacks pair files and a training, and every evaluation takes it.

        The card comes first: what has a card is a run, and can be replaced.

        Args:
            record: the file that it came from.
            run: the folder to make.
            force: replace the run that the folder holds.

        Raises:
            InputError: the folder holds something.
        """
        modules = {"encoder": self.encoder, "classifier": self.classifier}
        parameters = {name: sum(one.numel() for one in module.parameters()) for name, module in modules.items()}
        with locked(run.path):
            run.make_way(force=force)
            provenance = record_of_import(record, parameters, self.packages)
            described = checkpoints.description(self.card, self.classes)
            write_text(run.card, self.card.to_yaml())
            content = {"state_dict": self.state, "epoch": UNTRAINED, checkpoints.KEY: described}
            write_checkpoint(run.best, content)
            write_text(run.provenance, provenance.model_dump_json(indent=1))
        return provenance
