"""Results of an evaluation: records with fixed keys, and the curves behind them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter

from resim.common.atomic_write import write_text
from resim.common.errors import InputError

SCHEMA_VERSION: Final = 2
"""Of `results.json`; 1 had no seed, no command and no null value."""

Baseline = Literal["random", "features", "wide_features", "constituents", "images", "efp", "scratch", "scratch_views"]
"""What an encoder is compared with: another input of the classifier, or the same network without pre-training."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Origin:
    """What makes records again."""

    seed: int
    """of draws and bootstrap"""
    command: str


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
    """how the encoder was judged, e.g. `linear_probe`, `finetune_full`"""
    view: str
    """view whose jets were classified"""
    n_labels: int
    """labelled training jets of each draw"""
    all_labels: bool
    """whether these are all there are"""
    n_draws: int
    """draws of labels (and of fresh encoders) that the value is a mean over"""
    n_seeds: int = 1
    """training seeds that the value is a mean over"""
    metric: str
    """`auc`, `rejection_at_0.3` …, or `auc_minus_random`, `auc_minus_features`: paired differences to a baseline"""
    other_view: str | None = None
    """of a distance or a shift between two views: the second one"""
    jet_class: str | None = None
    """of a figure of one class: its name"""
    value: float | None
    """None for a rejection of which only a lower limit is known"""
    error: float | None
    """one standard deviation, from test hard scatters, label draws and training seeds together"""
    null: float | None = None
    """what the figure would be if nothing but chance were at work, where that is known"""
    low: float | None = None
    """lower end of the 68.3 % interval; a lower limit at 95 % if `value` is None"""
    high: float | None = None
    """upper end; None if there is none"""
    n_test: int
    """jets of the test split"""
    n_hard_scatters: int
    """hard scatters that they come from"""
    seed: int
    """of draws and bootstrap"""
    command: str
    """makes the number again"""
    schema_version: Literal[2] = SCHEMA_VERSION


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
        InputError: unreadable file, or one of another schema.
    """
    return _read(path, _RESULTS, SCHEMA_VERSION)


def read_curves(path: Path) -> list[RocCurve]:
    """Curves of a `roc.json`.

    Raises:
        InputError: unreadable file.
    """
    return _read(path, _CURVES)


def _read(path: Path, kind: TypeAdapter[T], version: int | None = None) -> T:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if version is not None:
            _refuse_other_schema(path, raw, version)
        return kind.validate_python(raw)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: unreadable ({_first(error)}); run `jetssl probe` again") from error


def _refuse_other_schema(path: Path, raw: Any, version: int) -> None:
    if not isinstance(raw, list) or not all(isinstance(record, dict) for record in raw):
        raise InputError(f"{path}: no list of results; give a results.json that jetssl wrote")
    for record in raw:
        if (found := record.get("schema_version", 1)) != version:
            raise InputError(f"{path}: results of schema {found}, this jetssl reads {version}; evaluate again")


def _first(error: OSError | ValueError) -> str:
    return str(error).splitlines()[0]
