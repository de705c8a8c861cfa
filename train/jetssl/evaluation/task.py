"""A tagging task: which rows are signal or background, which are labelled, which are tested."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.common.seeds import Stream, generator
from jetssl.config.data import Fractions
from jetssl.data.rows import Rows
from jetssl.data.splits import hard_scatter_keys, split_rows
from resim.common.arrays import Integers
from resim.common.errors import InputError

BACKGROUND_PREFIX = "qcd"
"""Classes whose name starts like this are the default background; all others the default signal."""

SHARED = 1e-4
"""Share of the test jets from which on equal partons are no chance."""


@dataclass(frozen=True, slots=True)
class Task:
    """Signal against background in one view; only rows that are valid there."""

    signal: tuple[str, ...]
    """class names"""
    background: tuple[str, ...]
    view: int
    """index of the view"""
    train: Integers
    """rows of the training split that may be labelled"""
    validation: Integers
    """rows of the validation split, which choose between trainings"""
    test: Integers
    """rows of the test split"""
    is_signal: npt.NDArray[np.bool_]
    """bool `(R,)`, over all rows of the table"""
    hard_scatter: npt.NDArray[np.uint64]
    """uint64 `(n_test,)`, identity of the hard scatter of each test row"""

    @property
    def name(self) -> str:
        """As in the records."""
        return f"{'+'.join(self.signal)}_vs_{'+'.join(self.background)}"

    @property
    def test_set(self) -> str:
        """Identity of the test jets."""
        return hash_of(self.hard_scatter)


def hash_of(hard_scatter: npt.NDArray[np.uint64]) -> str:
    """Identity of a set of jets: 12 digits of the SHA-256 of their sorted hard scatters, uint64 `(n,)`."""
    return hashlib.sha256(np.sort(hard_scatter).tobytes()).hexdigest()[:12]


def make_task(
    rows: Rows,
    fractions: Fractions,
    signal: Sequence[str] = (),
    background: Sequence[str] = (),
    view: str = "",
) -> Task:
    """Choose the rows of a task.

    Args:
        rows: the rows of the pair files.
        fractions: of the split that the encoder was trained with.
        signal: class names; empty for all that do not start with `qcd`.
        background: class names; empty for all that start with `qcd`.
        view: name of the view whose jets are classified; empty for the root view.

    Raises:
        InputError: unknown or overlapping classes, an unknown view, or a class without rows on a side.
    """
    signal, background = choose_classes(list(rows.classes), signal, background)
    if view and view not in rows.views:
        raise InputError(f"--view {view!r} is not among the common views: {', '.join(rows.views)}")
    index = rows.views.index(view) if view else 0
    is_signal, is_background = (np.isin(rows.classes, names)[rows.class_index] for names in (signal, background))
    usable = (is_signal | is_background) & rows.valid[index]
    splits = split_rows(rows, fractions)
    train, validation, test = (side[usable[side]] for side in splits.sides)
    for side, chosen in (("training", train), ("validation", validation), ("test", test)):
        for kind, count in (("signal", is_signal[chosen].sum()), ("background", (~is_signal[chosen]).sum())):
            if count < 2:
                raise InputError(f"the {side} split has {count} {kind} jets, want at least 2; generate more events")
    _refuse_leak(rows, np.concatenate([train, validation]), test)
    keys = hard_scatter_keys(rows.sources, rows.source, rows.event)
    return Task(tuple(signal), tuple(background), index, train, validation, test, is_signal, keys[test])


def _refuse_leak(rows: Rows, labelled: Integers, test: Integers) -> None:
    """An extract of an LHE file is another file, with other hashes; its partons have the same momenta.

    Single rows of large files agree by chance, in both float32 numbers about once in 4e12 pairs of rows.
    """
    momenta = np.stack([rows.parton_pt, rows.parton_eta], axis=1).astype(np.float32).view(np.uint64)[:, 0]
    shared = test[np.isin(momenta[test], momenta[labelled])]
    if len(shared) >= max(1, SHARED * len(test)):
        row = shared[0]
        raise InputError(
            f"{len(shared)} of {len(test)} test jets have the hard parton of a labelled one (event {rows.event[row]},"
            f" pT {rows.parton_pt[row]:.6g} GeV): an LHE file and an extract of it; list one of their pair files"
        )


def choose_classes(
    classes: list[str], signal: Sequence[str], background: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Names of the signal and of the background classes; the arguments are those of `make_task`.

    Raises:
        InputError: unknown or overlapping classes, or none on a side.
    """
    known = ", ".join(classes)
    for name in (*signal, *background):
        if name not in classes:
            raise InputError(f"no class {name!r} in the data; classes are {known}")
    chosen_background = list(background) or [
        name for name in classes if name.startswith(BACKGROUND_PREFIX) and name not in signal
    ]
    chosen_signal = list(signal) or [
        name for name in classes if not name.startswith(BACKGROUND_PREFIX) and name not in chosen_background
    ]
    if shared := set(chosen_signal) & set(chosen_background):
        raise InputError(f"class {shared.pop()!r} is both signal and background; name each class once")
    for option, chosen in (("--signal", chosen_signal), ("--background", chosen_background)):
        if not chosen:
            raise InputError(f"no class left for {option}; classes are {known}: choose with {option} NAME")
    return chosen_signal, chosen_background


def draw_labels(task: Task, n_labels: int, rng: np.random.Generator) -> Integers:
    """Rows of a balanced draw: half signal, half background, from the training split.

    Raises:
        InputError: there are not as many.
    """
    half = n_labels // 2
    chosen: list[npt.NDArray[Any]] = []
    for kind, wanted in (("signal", True), ("background", False)):
        rows = task.train[task.is_signal[task.train] == wanted]
        if half > len(rows):
            raise InputError(
                f"{n_labels} labels need {half} {kind} jets, the training split has {len(rows)};"
                " lower --labels or generate more events"
            )
        chosen.append(rng.choice(rows, half, replace=False))
    return np.concatenate(chosen)


def draw_validation(task: Task, n_labels: int, seed: int, draw: int) -> Integers:
    """Validation rows, balanced, that choose between trainings: no more of them than there are labels.

    Whoever has 100 labels has no 1,000 others to select with.
    """
    signal = int(task.is_signal[task.validation].sum())
    fewest = min(signal, len(task.validation) - signal)
    side = replace(task, train=task.validation)
    return draw_labels(side, 2 * min(n_labels // 2, fewest), generator(seed, Stream.VALIDATION_LABELS, draw))
