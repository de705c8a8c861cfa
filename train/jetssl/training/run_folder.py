"""The folder of a run: its files, and whether a training may start or resume there, or has finished."""

import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from jetssl.config.card import Card, card_from
from jetssl.training.provenance import RunProvenance
from resim.common.atomic_write import entries
from resim.common.cards import read_yaml
from resim.common.errors import InputError, reason_of


class State(Enum):
    """State of a run folder."""

    NEW = "new"
    RESUMABLE = "resumable"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run."""

    path: Path

    @property
    def card(self) -> Path:
        """Resolved training card."""
        return self.path / "config.yaml"

    @property
    def provenance(self) -> Path:
        """Data files, versions, counts and times, as JSON."""
        return self.path / "provenance.json"

    @property
    def metrics(self) -> Path:
        """One line per epoch."""
        return self.path / "metrics.csv"

    @property
    def checkpoints(self) -> Path:
        """Folder of `best.ckpt` and `last.ckpt`."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """Checkpoint that is evaluated: of the lowest validation loss, or the last one if these do not compare."""
        return self.checkpoints / "best.ckpt"

    @property
    def last(self) -> Path:
        """Checkpoint of the last finished epoch, or of a step after it: what a training resumes from."""
        return self.checkpoints / "last.ckpt"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard event files."""
        return self.path / "tensorboard"

    @property
    def wandb(self) -> Path:
        """Folder of Weights & Biases, if the card asks for it."""
        return self.path / "wandb"

    @property
    def results(self) -> Path:
        """Records of the evaluations, as JSON."""
        return self.path / "results.json"

    @property
    def replicas(self) -> Path:
        """Bootstrap replicas of the records."""
        return self.path / "replicas.npy"

    @property
    def roc(self) -> Path:
        """ROC curves of the evaluations, as JSON."""
        return self.path / "roc.json"

    @property
    def embeddings(self) -> Path:
        """Folder of jet vectors that evaluations have computed and may need again."""
        return self.path / "embeddings"

    def load_card(self) -> Card:
        """The resolved card.

        Raises:
            InputError: this is no run folder, or its card is damaged.
        """
        if not self.card.is_file():
            raise InputError(f"{self.path}: no config.yaml, so not a run; make one with `jetssl train CARD -o RUN`")
        try:
            return card_from(read_yaml(self.card), self.card)
        except InputError as error:
            raise InputError(f"{error}, or train again with --force") from error

    def load_provenance(self) -> RunProvenance:
        """What was trained on what.

        Raises:
            InputError: the file is missing or unreadable.
        """
        try:
            return RunProvenance.model_validate_json(self.provenance.read_text())
        except (OSError, ValueError) as error:
            raise InputError(
                f"{self.provenance}: unreadable ({reason_of(error)}); train again with --force"
            ) from error

    def state(self, card: Card, digests: list[str]) -> State:
        """Whether this card can start, resume or is done here.

        Args:
            card: the resolved card of the training that is asked for.
            digests: digests of its pair files.

        Raises:
            InputError: the folder holds another run, or something else.
        """
        if not self._strangers_or_run():
            return State.NEW
        if not self.card.is_file():
            raise InputError(f"{self.path}: exists and is not a run; give another -o")
        if not self.load_card().trains_like(card):
            raise InputError(f"{self.path}: holds a run of a different card; use --force to replace it or another -o")
        provenance = self.load_provenance()
        if provenance.digests != digests:
            raise InputError(
                f"{self.path}: its pair files have changed since; use --force to train again or another -o"
            )
        return State.FINISHED if provenance.finished else State.RESUMABLE

    def clear(self) -> None:
        """Delete what a run consists of, and nothing else; the card, which makes it a run, goes last.

        Raises:
            InputError: the folder exists and is not a run.
        """
        if self._strangers_or_run() and not self.card.is_file():
            raise InputError(f"{self.path}: exists and is not a run, so --force will not delete it; give another -o")
        self.clear_results()
        for folder in (self.checkpoints, self.tensorboard, self.wandb, self.embeddings):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self.metrics, self.provenance, self.card):
            file.unlink(missing_ok=True)

    def make_way(self, *, force: bool) -> None:
        """Make sure that a whole run can be written here.

        Args:
            force: delete the run that the folder holds.

        Raises:
            InputError: the folder holds something that may not be deleted.
        """
        if force:
            self.clear()
        elif self._strangers_or_run():
            raise InputError(f"{self.path}: exists already; give another -o, or --force to replace the run in it")

    def clear_results(self) -> None:
        """Delete what evaluations of an earlier state of the run have written."""
        for file in (self.results, self.replicas, self.roc):
            file.unlink(missing_ok=True)

    def _strangers_or_run(self) -> bool:
        """Whether the folder holds anything but leftovers of our own interrupted writes."""
        if not self.path.exists():
            return False
        if not self.path.is_dir():
            raise InputError(f"{self.path}: is a file, want a folder for the run; give another -o")
        return bool(entries(self.path))
