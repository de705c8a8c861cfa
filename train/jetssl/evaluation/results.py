"""Results of an evaluation: records with fixed keys, and the curves behind them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from jetssl.common.files import write_text
from resim.common.errors import InputError

Baseline = Literal["random", "features"]


T = TypeVar("T")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Result(_Record):
    """One number."""

    task: str
    """`<signal classes>_vs_<background classes>`"""
    encoder: str | None
    """name of the encoder; None for hand-made features"""
    baseline: Baseline | None
    """None for the pre-trained encoder, `random` for a fresh one, `features` for jet masses, multiplicity and pT"""
    method: str
    """how the encoder was judged, e.g. `linear_probe`"""
    view: str
    """view whose jets were classified"""
    n_labels: int
    """labelled training jets of each draw"""
    all_labels: bool
    """whether these are all there are"""
    n_draws: int
    """draws of labels (and of fresh encoders) that the value is a mean over"""
    metric: str
    """`auc`, `rejection_at_0.3` …, or `auc_minus_random`, `auc_minus_features`: paired differences to a baseline"""
    value: float | None
    """None for a rejection of which only a lower limit is known"""
    error: float | None
    """one standard deviation, from draws and test set together"""
    low: float | None = None
    """lower end of the 68.3 % interval; a lower limit if `value` is None"""
    high: float | None = None
    """upper end; None if there is none"""
    n_test: int
    """jets of the test split"""


class RocCurve(_Record):
    """Mean background efficiency over draws as a function of the signal efficiency."""

    task: str
    baseline: Baseline | None
    n_labels: int
    all_labels: bool
    n_background: int
    signal_efficiency: list[float]
    background_efficiency: list[float]


_RESULTS = TypeAdapter(list[Result])
_CURVES = TypeAdapter(list[RocCurve])


def write_records(path: Path, records: Sequence[Result | RocCurve]) -> None:
    """Write records as a JSON list, whole or not at all."""
    write_text(path, to_json(records) + "\n")


def to_json(records: Sequence[Result | RocCurve]) -> str:
    """Records as a JSON list, one per line."""
    return "[\n" + ",\n".join(json.dumps(record.model_dump(mode="json")) for record in records) + "\n]"


def read_results(path: Path) -> list[Result]:
    """Records of a `results.json`.

    Raises:
        InputError: unreadable file.
    """
    return _read(path, _RESULTS)


def read_curves(path: Path) -> list[RocCurve]:
    """Curves of a `roc.json`.

    Raises:
        InputError: unreadable file.
    """
    return _read(path, _CURVES)


def _read(path: Path, kind: TypeAdapter[T]) -> T:
    try:
        return kind.validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise InputError(f"{path}: unreadable ({str(error).splitlines()[0]}); run `jetssl probe` again") from error
