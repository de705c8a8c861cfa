"""A tagging task: which rows are of which class, which are labelled, which are tested.

Letters: R rows, T test rows, C classes.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.common.seeds import Stream, generator
from jetssl.config.data import Fractions
from jetssl.data.rows import Rows
from jetssl.data.splits import split_rows
from jetssl.models.checkpoints import LoadedEncoder
from jetssl.training.run_folder import RunFolder
from resim.common.arrays import Booleans, Floats, Integers
from resim.common.errors import InputError

log = logging.getLogger(__name__)

BACKGROUND_PREFIX = "qcd"
"""Classes whose name starts like this are the default background; all others the default signal."""

SHARED = 1e-4
"""Share of the test jets from which on equal partons are no chance."""


@dataclass(frozen=True, slots=True)
class Task:
    """Classes against each other in one view; only rows that are valid there."""

    groups: tuple[tuple[str, ...], ...]
    """names in the data of what is one class here, C of them; of two, the first is the signal"""
    view: int
    """index of the view"""
    train: Integers
    """rows of the training split that may be labelled"""
    validation: Integers
    """rows of the validation split, which choose between trainings"""
    test: Integers
    """rows of the test split"""
    class_index: Integers
    """int64 `(R,)`, over all rows of the table: place in `groups`, -1 for no class of the task"""
    hard_scatter: npt.NDArray[np.uint64]
    """uint64 `(T,)`, identity of the hard scatter of each test row"""
    weights: npt.NDArray[np.float64]
    """float64 `(R,)`, over all rows: 1, or weights of their events where these differ"""

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of each class, e.g. `tau1p+tau3p`."""
        return tuple("+".join(group) for group in self.groups)

    @property
    def name(self) -> str:
        """As in the records."""
        return "_vs_".join(self.classes)

    @property
    def signal(self) -> tuple[str, ...]:
        """Names in the data of the first class."""
        return self.groups[0]

    @property
    def background(self) -> tuple[str, ...]:
        """Names in the data of all others."""
        return tuple(name for group in self.groups[1:] for name in group)

    @property
    def is_signal(self) -> npt.NDArray[np.bool_]:
        """Bool `(R,)`: of the first class."""
        return np.asarray(self.class_index == 0)

    @property
    def weighted(self) -> bool:
        """Whether test rows differ in weight."""
        return bool((self.weights[self.test] != 1).any())

    def sizes(self, rows: Integers) -> Floats | None:
        """How much rows count in a fit, the absolute values of their weights, `(n,)`; None if all rows count alike.

        A fit with negative weights may have no minimum: what they count for is the better, the worse it is described.
        """
        return np.abs(self.weights[rows]) if (self.weights != 1).any() else None

    def sizes_of(self, labelled: Integers, validation: Integers) -> tuple[Floats, Floats] | None:
        """`sizes` of both, or None."""
        one, other = self.sizes(labelled), self.sizes(validation)
        return None if one is None or other is None else (one, other)

    @property
    def test_set(self) -> str:
        """Identity of the test jets."""
        return hash_of(self.hard_scatter)


def hash_of(hard_scatter: npt.NDArray[np.uint64]) -> str:
    """Identity of a set of jets: 12 digits of the SHA-256 of their sorted hard scatters, uint64 `(n,)`."""
    return hashlib.sha256(np.sort(hard_scatter).tobytes()).hexdigest()[:12]


def make_task(  # noqa: PLR0913
    rows: Rows,
    fractions: Fractions,
    signal: Sequence[str] = (),
    background: Sequence[str] = (),
    view: str = "",
    *,
    classes: Sequence[str] = (),
    unweighted: bool = False,
) -> Task:
    """Choose the rows of a task.

    Args:
        rows: the rows of the pair files.
        fractions: of the split that the encoder was trained with.
        signal: class names; empty for all that do not start with `qcd`.
        background: class names; empty for all that start with `qcd`.
        view: name of the view whose jets are classified; empty for the root view.
        classes: instead of `signal` and `background`: each one or several class names joined by `+`.
        unweighted: every test jet counts once, also where weights of events differ.

    Raises:
        InputError: unknown or overlapping classes, an unknown view, or a class without rows on a side.
    """
    if classes and (signal or background):
        raise InputError("--classes names every class; leave out --signal and --background, or --classes")
    groups = _groups(rows.classes, classes) if classes else choose_classes(list(rows.classes), signal, background)
    if view and view not in rows.views:
        raise InputError(f"--view {view!r} is not among the common views: {', '.join(rows.views)}")
    index = rows.views.index(view) if view else 0
    place = {name: number for number, group in enumerate(groups) for name in group}
    class_index = np.array([place.get(name, -1) for name in rows.classes], np.int64)[rows.class_index]
    usable = (class_index >= 0) & rows.valid[index]
    train, validation, test = (side[usable[side]] for side in split_rows(rows, fractions).sides)
    for side, chosen in (("training", train), ("validation", validation), ("test", test)):
        _refuse_empty(side, groups, class_index[chosen])
    _refuse_leak(rows, np.concatenate([train, validation]), test)
    weights = np.ones(rows.n_rows) if unweighted else rows.weight
    return Task(groups, index, train, validation, test, class_index, rows.identity[test], weights)


def among(task: Task, rows: Booleans) -> Task:
    """The same task with some of its rows.

    Args:
        task: the task.
        rows: bool `(R,)`, over all rows of the table.

    Raises:
        InputError: a class is left without rows on a side.
    """
    sides = {name: getattr(task, name) for name in ("train", "validation", "test")}
    kept = {name: side[rows[side]] for name, side in sides.items()}
    for name, side in kept.items():
        _refuse_empty("training" if name == "train" else name, task.groups, task.class_index[side])
    return replace(task, **kept, hard_scatter=task.hard_scatter[rows[task.test]])


def _refuse_empty(side: str, groups: Sequence[tuple[str, ...]], class_index: Integers) -> None:
    for group, count in zip(groups, np.bincount(class_index, minlength=len(groups)), strict=True):
        if count < 2:
            raise InputError(
                f"the {side} split has {count} jets of {'+'.join(group)}, want at least 2; generate more events"
            )


def warn_of_other_identities(run: RunFolder, rows: Rows) -> None:
    """Say that the training's split was another one: files of version 2 know hard scatters by other numbers."""
    known, read = ({file.version for file in files} for files in (run.load_provenance().files, rows.files))
    if known and 2 in known ^ read:
        log.warning(
            "%s learnt from files of another schema version, which are split in another way: test jets may be jets"
            " that it was trained on; train again, or test on files of that version",
            run.path,
        )


def warn_of_known_classes(loaded: LoadedEncoder, signal: Sequence[str]) -> None:
    """Say that a search is for jets that the encoder knows."""
    if known := [name for name in signal if name in loaded.classes]:
        labels = ", and by their labels," if loaded.card.objective.reads_labels else ""
        log.warning(
            "the encoder was trained on jets of %s,%s which are no anomalies to it: for a search, train on background"
            " alone",
            ", ".join(known),
            labels,
        )


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


def _groups(known: Sequence[str], classes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Classes joined by `+`, each once."""
    groups = tuple(tuple(group.split("+")) for group in classes)
    _refuse_unknown(known, [name for group in groups for name in group])
    if len(groups) < 2:
        raise InputError(f"--classes {','.join(classes)}: one class is nothing to tell apart; name two or more")
    counts = Counter(name for group in groups for name in group)
    if repeated := [name for name, count in counts.items() if count > 1]:
        raise InputError(f"--classes {','.join(classes)}: {repeated[0]!r} occurs twice; name each class once")
    return groups


def choose_classes(
    known: list[str], signal: Sequence[str], background: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the signal and of the background classes; the arguments are those of `make_task`.

    Raises:
        InputError: unknown or overlapping classes, or none on a side.
    """
    _refuse_unknown(known, [*signal, *background])
    chosen_background = list(background) or [
        name for name in known if name.startswith(BACKGROUND_PREFIX) and name not in signal
    ]
    chosen_signal = list(signal) or [
        name for name in known if not name.startswith(BACKGROUND_PREFIX) and name not in chosen_background
    ]
    if shared := set(chosen_signal) & set(chosen_background):
        raise InputError(f"class {shared.pop()!r} is both signal and background; name each class once")
    for option, chosen in (("--signal", chosen_signal), ("--background", chosen_background)):
        if not chosen:
            raise InputError(f"no class left for {option}; classes are {', '.join(known)}: choose with {option} NAME")
    return tuple(chosen_signal), tuple(chosen_background)


def _refuse_unknown(known: Sequence[str], names: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise InputError(f"no class {name!r} in the data; classes are {', '.join(known)}")


def draw_labels(task: Task, n_labels: int, rng: np.random.Generator) -> Integers:
    """Rows of a balanced draw from the training split: as many of one class as of any other.

    Raises:
        InputError: there are not as many, or they cannot be shared out.
    """
    each, left = divmod(n_labels, len(task.groups))
    if left:
        count = len(task.groups)
        raise InputError(f"{n_labels} labels are no equal numbers of {count} classes; ask for a multiple of {count}")
    chosen: list[npt.NDArray[Any]] = []
    for index, name in enumerate(task.classes):
        rows = task.train[task.class_index[task.train] == index]
        if each > len(rows):
            raise InputError(
                f"{n_labels} labels need {each} jets of {name}, the training split has {len(rows)};"
                " lower --labels or generate more events"
            )
        chosen.append(rng.choice(rows, each, replace=False))
    return np.concatenate(chosen)


def draw_validation(task: Task, n_labels: int, seed: int, draw: int) -> Integers:
    """Validation rows, balanced, that choose between trainings: no more of them than there are labels.

    Whoever has 100 labels has no 1,000 others to select with.
    """
    count = len(task.groups)
    fewest = int(np.bincount(task.class_index[task.validation], minlength=count).min())
    side = replace(task, train=task.validation)
    return draw_labels(side, count * min(n_labels // count, fewest), generator(seed, Stream.VALIDATION_LABELS, draw))
