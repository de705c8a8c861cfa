"""Results of an evaluation: records with fixed keys, and the curves behind them."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from jetssl.config.evaluation import ProbeInput
from resim.common.atomic_write import write_bytes, write_text
from resim.common.errors import InputError, reason_of

SCHEMA_VERSION: Final = 2
"""Of `results.json`; 1 had no seed, no command and no null value."""

VECTORS: Final = "vectors:"
"""Before the name of a file of vectors that another program computed."""
Baseline = ProbeInput | Literal["scratch", "scratch_views"] | Annotated[str, Field(pattern=f"^{VECTORS}.")]
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


class ErrorParts(_Record):
    """One standard deviation from each source alone; None where nothing was drawn more than once."""

    jets: float | None = None
    """test hard scatters"""
    draws: float | None = None
    """label draws, and with them fresh weights and batches of a fine-tuning"""
    seeds: float | None = None
    """training seeds of the encoder"""


class Calibration(_Record):
    """How often what was said to be signal is signal, in bins of the probability that was said; all draws."""

    predicted: list[float]
    """mean probability in each bin that is not empty"""
    observed: list[float]
    """share of signal in it"""
    n_jets: list[float]
    """test jets of one draw in it; effective number where they have weights"""


class Result(_Record):
    """One number."""

    task: str
    """names of the classes, `<signal>_vs_<background>`; what is one class of several in the data is joined by `+`"""
    classes: tuple[str, ...] = ()
    """these names one by one; of two, the first is the signal"""
    encoder: str | None
    """name of the encoder; None for hand-made features"""
    baseline: Baseline | None
    """None for the pre-trained encoder, `random` for a fresh one, `features` for jet masses, multiplicity and pT"""
    method: str
    """how the encoder was judged, e.g. `linear_probe`, `finetune_full`"""
    layer: str = "encoder"
    """whose vectors were judged: `encoder`, or `projector.1` for the first linear map of the projector …"""
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
    """`auc` (of several classes the mean over pairs), `rejection_at_0.3` …, or paired differences to a baseline as
    `auc_minus_random`"""
    other_view: str | None = None
    """of a distance or a shift between two views: the second one"""
    jet_class: str | None = None
    """of a figure of one class: its name"""
    value: float | None
    """None for a rejection of which only a lower limit is known"""
    error: float | None
    """one standard deviation, from test hard scatters, label draws and training seeds together"""
    error_parts: ErrorParts | None = None
    """what each of these gives alone; None where that is not known"""
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
    weighted: bool = False
    """whether each test jet counts with the weight of its event"""
    seed: int
    """of draws and bootstrap"""
    command: str
    """makes the number again"""
    run: str | None = None
    """name of the run, where one file holds records of several"""
    reference: str | None = None
    """of a ratio or a difference between two runs: the other one"""
    test_set: str | None = None
    """of the hard scatters of the test jets, first digits of a SHA-256: equal ones are compared jet by jet"""
    train_view: str | None = None
    """view whose labels were learned, if that is not a matter of course: between domains, another one than `view`"""
    noise: str | None = None
    """of the labels that were learned: `symmetric 0.2`"""
    schema_version: Literal[2] = SCHEMA_VERSION
    replicas: tuple[float, ...] | None = Field(None, exclude=True, repr=False)
    """bootstrap replicas of the value, for the error of a difference; in `replicas.npy`, a row for each record"""


class RocCurve(_Record):
    """Mean background efficiency over draws as a function of the signal efficiency."""

    task: str
    run: str | None = None
    """name of the run, where one file holds curves of several"""
    method: str = "linear_probe"
    baseline: Baseline | None
    n_labels: int
    all_labels: bool
    n_background: int
    signal_efficiency: list[float]
    background_efficiency: list[float]
    calibration: Calibration | None = None
    """of the same scores"""


class Distribution(_Record):
    """How many test jets of a class and view lie in each bin of a quantity."""

    run: str | None
    """None for what does not depend on a run"""
    quantity: str
    """`score`, or a property of jets"""
    view: str
    other_view: str | None = None
    """of a quantity of pairs of jets: the view of the second one"""
    jet_class: str | None
    edges: list[float]
    counts: list[float]
    """a bin between two edges each; mean over fits"""


_RESULTS = TypeAdapter(list[Result])
_DISTRIBUTIONS = TypeAdapter(list[Distribution])
_CURVES = TypeAdapter(list[RocCurve])


def write_results(path: Path, results: Sequence[Result]) -> None:
    """Write a `results.json`, and beside it `replicas.npy`, float64 `(records, M)`; NaN where a record has none."""
    size = max((len(result.replicas) for result in results if result.replicas), default=0)
    content = io.BytesIO()
    np.save(content, np.array([result.replicas or (np.nan,) * size for result in results], np.float64))
    path.unlink(missing_ok=True)  # a crash in between leaves no results rather than those with other replicas
    write_bytes(replicas_of(path), content.getvalue())
    write_records(path, results)


def replicas_of(results: Path) -> Path:
    """The file with the replicas of a `results.json`."""
    return results.with_name("replicas.npy")


def write_records(path: Path, records: Sequence[BaseModel]) -> None:
    """Write records as a JSON list, whole or not at all."""
    write_text(path, to_json(records) + "\n")


def to_json(records: Sequence[BaseModel]) -> str:
    """Records as a JSON list, one per line."""
    return "[\n" + ",\n".join(json.dumps(record.model_dump(mode="json")) for record in records) + "\n]"


def read_results(path: Path) -> list[Result]:
    """Records of a `results.json`, with their replicas.

    Raises:
        InputError: unreadable file, one of another schema, or replicas of other results beside it.
    """
    results = _read(path, _RESULTS, SCHEMA_VERSION)
    if not replicas_of(path).is_file():
        return results
    try:
        rows = np.load(replicas_of(path), allow_pickle=False)
    except Exception as error:  # of damaged bytes NumPy raises anything, tokenize.TokenError among it
        raise InputError(f"{replicas_of(path)}: unreadable ({reason_of(error)}); evaluate again") from error
    if rows.ndim != 2 or len(rows) != len(results):
        raise InputError(f"{replicas_of(path)}: replicas of other results than {path.name}; evaluate again")
    filled = [not np.isnan(row).all() for row in rows]
    return [
        result.model_copy(update={"replicas": tuple(row.tolist())}) if some else result
        for result, row, some in zip(results, rows, filled, strict=True)
    ]


@contextmanager
def fitting_records(folder: Path) -> Iterator[None]:
    """Use records of a folder inside the block: those that are damaged but readable lack what is looked up there.

    Raises:
        InputError: a figure that the block needs is missing, or of a value that it cannot have.
    """
    try:
        yield
    except InputError:
        raise
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        reason = f"{type(error).__name__}: {reason_of(error)}"
        raise InputError(f"{folder}: its records are damaged or not complete ({reason}); evaluate again") from error


def read_distributions(path: Path) -> list[Distribution]:
    """Records of a `distributions.json`.

    Raises:
        InputError: unreadable file.
    """
    return _read(path, _DISTRIBUTIONS)


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
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: unreadable ({reason_of(error)}); evaluate again") from error


def _refuse_other_schema(path: Path, raw: Any, version: int) -> None:
    if not isinstance(raw, list) or not all(isinstance(record, dict) for record in raw):
        raise InputError(f"{path}: no list of results; give a results.json that jetssl wrote")
    for record in raw:
        if (found := record.get("schema_version", 1)) != version:
            raise InputError(f"{path}: results of schema {found}, this jetssl reads {version}; evaluate again")
