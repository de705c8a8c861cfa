"""Trained classifiers: a run with a head, and the score of its jets for the classes that are asked for.

Letters: B jets, D model width, C outputs of the head.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict
from scipy.special import logsumexp
from torch import nn

from jetssl.config.encoders import EncoderCard, OmniLearnedCard
from jetssl.config.evaluation import HeadName
from jetssl.evaluation.heads import build_head, perceptron
from jetssl.evaluation.results import Baseline
from jetssl.evaluation.task import BACKGROUND_PREFIX
from jetssl.models import omnilearned
from jetssl.models.checkpoints import LoadedEncoder, load_encoder, read_checkpoint
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Floats32
from resim.common.errors import InputError, reason_of

HEAD_FILE = "head.json"
"""In the folder of a fine-tuning."""
Logits = npt.NDArray[np.float64]


class HeadRecord(BaseModel):
    """What a head was trained for; a head of one output gives the logit of the first of two classes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: tuple[str, ...]
    """of each output; several classes of the data that are one here are joined by `+`"""
    method: str
    """as in the records: `finetune_full`, `supervised` …"""
    baseline: Baseline | None
    n_labels: int
    all_labels: bool
    head: HeadName = "linear"


@dataclass(frozen=True, slots=True)
class Trained:
    """A classifier as it was trained."""

    path: Path
    loaded: LoadedEncoder
    head: nn.Module
    """`(B, D)` → `(B, C)`, or `(B, 1)` for two classes"""
    record: HeadRecord

    @property
    def task(self) -> tuple[list[str], list[str]]:
        """Signal and background classes that it was trained for."""
        return self._sides([], [])

    def refuse_unknown(self, names: Sequence[str]) -> None:
        """See whether the head has outputs of these names.

        Raises:
            InputError: it lacks one.
        """
        known = [name for output in self.record.classes for name in output.split("+")]
        for name in names:
            if name not in known:
                raise InputError(f"{self.path}: --logit names {name!r}, outputs of its head are {', '.join(known)}")

    def score(self, vectors: Floats32, signal: Sequence[str], background: Sequence[str]) -> Logits:
        """Logit of being signal, given that a jet is signal or background.

        Outputs of other classes are left out. Where no output is of a class that is asked for (a transfer to classes
        that were never seen), all outputs of that side of the training stand for it.

        Args:
            vectors: of the encoder, `(B, D)`.
            signal: class names.
            background: class names.

        Returns:
            float64 `(B,)`.

        Raises:
            InputError: the head has no output for a side.
        """
        with torch.inference_mode():
            outputs = self.head(torch.from_numpy(vectors)).double().numpy()
        if outputs.shape[1] == 1:
            outputs = np.concatenate([outputs, np.zeros_like(outputs)], axis=1)
        sides = self._sides(signal, background)
        places = [[self.record.classes.index(name) for name in side] for side in sides]
        of_signal, of_background = (logsumexp(outputs[:, place], axis=1) for place in places)
        return np.asarray(of_signal - of_background)

    def _sides(self, signal: Sequence[str], background: Sequence[str]) -> tuple[list[str], list[str]]:
        """Outputs that stand for signal and for background."""
        found: tuple[list[str], list[str]] = ([], [])
        others: tuple[list[str], list[str]] = ([], [])
        for number, output in enumerate(self.record.classes):
            names = set(output.split("+"))
            asked = [bool(names & set(side)) for side in (signal, background)]
            if all(asked):
                raise InputError(f"{self.path}: its head takes {output} for one class; choose other classes")
            if any(asked):
                found[asked.index(True)].append(output)
            else:
                others[self._is_background(number)].append(output)
        sides = (found[0] or others[0], found[1] or others[1])
        if not all(sides):
            wanted = f"{'+'.join(signal)} against {'+'.join(background)}"
            raise InputError(
                f"{self.path}: its head (classes {', '.join(self.record.classes)}) has nothing for {wanted}; choose"
                " other classes, or --head probe"
            )
        return sides

    def _is_background(self, number: int) -> bool:
        if len(self.record.classes) == 2 and self.record.method != "supervised":
            return number == 1
        return self.record.classes[number].startswith(BACKGROUND_PREFIX)


def runs_of(path: Path) -> list[Path]:
    """One classifier trained several times: folders `<path>_<number>`, in the order of the numbers; or `path` itself.

    Raises:
        InputError: there is no such folder.
    """
    if path.is_dir():
        return [path]
    pattern = re.compile(re.escape(path.name) + r"_(\d+)")
    siblings = path.parent.iterdir() if path.parent.is_dir() else ()
    numbered = [(int(match[1]), found) for found in siblings if (match := pattern.fullmatch(found.name))]
    if not numbered:
        raise InputError(f"{path}: not a run, and no {path.name}_0, {path.name}_1 … beside it; give a run")
    return [found for _, found in sorted(numbered)]


def load_trained(path: Path) -> Trained:
    """Read encoder and head of a run.

    Raises:
        InputError: no run, or a pre-trained encoder without a head.
    """
    run = RunFolder(path)
    loaded = load_encoder(run.best, run.load_card())
    state = read_checkpoint(run.best)["state_dict"]
    for prefix in ("head.", "classifier."):
        if weights := {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}:
            record = _record(run, loaded)
            return Trained(path, loaded, _head(path, loaded, record, weights), record)
    raise InputError(
        f"{path}: a pre-trained encoder without a head; give it one with `jetssl finetune`, or take --head probe"
    )


def _head(path: Path, loaded: LoadedEncoder, record: HeadRecord, weights: dict[str, torch.Tensor]) -> nn.Module:
    width, n_classes = loaded.encoder.width, len(record.classes)
    supervised = record.method == "supervised"
    head = (
        _classifier(loaded.card.encoder, width, weights, n_classes)
        if supervised
        else build_head(record.head, width, loaded.card.projector, n_classes)
    )
    try:
        head.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"{path}: weights do not fit a {'linear' if supervised else record.head} head of classes"
            f" {', '.join(record.classes)}; fine-tune again into another folder"
        ) from error
    return head


def _classifier(card: EncoderCard, width: int, weights: dict[str, torch.Tensor], n_classes: int) -> nn.Module:
    """A linear map if it was trained here; what another program has behind the vector, if that trained it."""
    if isinstance(card, OmniLearnedCard) and "weight" not in weights:
        return omnilearned.perceptron(card, n_classes)
    return perceptron(width, _hidden(weights), n_classes)


def _hidden(weights: dict[str, torch.Tensor]) -> tuple[int, ...]:
    """Hidden sizes of a classifier with linear maps and ReLU."""
    maps = sorted((int(found[1]), name) for name in weights if (found := re.fullmatch(r"(\d+)\.weight", name)))
    return tuple(len(weights[name]) for _, name in maps[:-1])


def _record(run: RunFolder, loaded: LoadedEncoder) -> HeadRecord:
    path = run.path / HEAD_FILE
    if not path.is_file():
        n_labels = run.load_provenance().pair_rows.train
        return HeadRecord(
            classes=loaded.classes,
            method="supervised",
            baseline=None,
            n_labels=n_labels,
            all_labels=n_labels > 0,  # imported weights saw none of the labels of a pair file
        )
    try:
        return HeadRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: unreadable ({reason_of(error)}); fine-tune again") from error
