"""Domains in memory. Their jets come without labels; labels are asked for, and a domain without labels has none.

Letters: R rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from jetssl.config.data import Fractions
from jetssl.config.domains import DomainCard
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jet_table import JetTable, concatenate
from jetssl.data.rows import Rows, concatenate_rows, rows_of
from jetssl.data.splits import Splits, split_rows
from jetssl.data.table import PairTable, load_pairs
from jetssl.data.weights import NONE
from jetssl.evaluation.task import Task, choose_classes
from resim.common.errors import InputError

VIEW = "domain"
"""Name of the only view of a table of domains."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Jets of a domain, without their labels."""

    name: str
    card: DomainCard
    table: PairTable
    """one view, rows without labels"""
    splits: Splits
    """rows that have a jet; of training and validation, only those of the domain's share"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is told from what."""

    signal: tuple[str, ...] = ()
    """empty: all classes that do not start with `qcd`"""
    background: tuple[str, ...] = ()
    """empty: all classes that start with `qcd`"""


@dataclass(frozen=True, slots=True)
class Truth:
    """Classes of the rows of a domain, which its jets do not say."""

    signal: tuple[str, ...]
    background: tuple[str, ...]
    """names of the classes"""
    is_signal: npt.NDArray[np.bool_]
    """bool `(R,)`"""
    is_either: npt.NDArray[np.bool_]
    """bool `(R,)`, whether the row is signal or background"""

    @property
    def task(self) -> str:
        """As in the records."""
        return f"{'+'.join(self.signal)}_vs_{'+'.join(self.background)}"


def load_domain(name: str, card: DomainCard, features: str, fractions: Fractions) -> Domain:
    """Read the jets of a domain.

    Args:
        name: for messages.
        card: which jets.
        features: feature set whose columns are read.
        fractions: of training, validation and test.

    Raises:
        InputError: unusable files, no such view, or no jets.
    """
    table = load_pairs(card.files, (card.view,), FEATURE_SETS[features].columns, NONE)
    if len(table.rows.views) != 1:
        raise InputError(
            f"domain {name!r}: view {card.view!r} is a family of {len(table.rows.views)}; name one, as"
            f" {table.rows.views[0]}"
        )
    rows = replace(table.rows, views=(VIEW,)).without_labels()
    splits = _usable(rows, card.share, fractions)
    for side, chosen in zip(("training", "validation", "test"), splits.sides, strict=True):
        if len(chosen) < 2:
            raise InputError(
                f"domain {name!r}: {len(chosen)} jets of view {card.view!r} on the {side} side of"
                f" {', '.join(card.files)}; name another view, widen its share, or generate more events"
            )
    return Domain(name, card, replace(table, rows=rows), splits)


def _usable(rows: Rows, share: tuple[float, float], fractions: Fractions) -> Splits:
    train, validation, test = (side[rows.valid[0, side]] for side in split_rows(rows, fractions).sides)
    # The lower half of the bits: the upper ones decide on the side of the split.
    position = (rows.identity & np.uint64(0xFFFFFFFF)) / 2.0**32
    inside = (position >= share[0]) & (position < share[1])
    return Splits(train[inside[train]], validation[inside[validation]], test)


def refuse_uncommon_features(domains: Sequence[Domain], features: str) -> None:
    """Columns of a feature set that are 0 everywhere in one domain, as without a detector, give it away at once.

    Raises:
        InputError: there is such a column.
    """
    for column in FEATURE_SETS[features].columns:
        empty = [domain.name for domain in domains if not domain.table.constituents.other[column].any()]
        if empty and len(empty) < len(domains):
            raise InputError(
                f"features {features}: domain {empty[0]!r} has no {column} (0 everywhere), another one has; choose"
                " features that all domains have, or generate them with detectors of one kind"
            )


def training_labels(domain: Domain, question: Question) -> Truth:
    """Labels that may be learned from.

    Raises:
        InputError: the domain is one without labels.
    """
    if not domain.card.labelled:
        raise InputError(f"domain {domain.name!r} has no labels to learn from (labelled: false); name another domain")
    return true_labels(domain, question)


def true_labels(domain: Domain, question: Question) -> Truth:
    """Labels of any domain, for the evaluation: read from its files anew.

    Raises:
        InputError: unknown classes, or a class without test jets.
    """
    rows = rows_of(domain.card.files, (domain.card.view,), NONE)
    signal, background = choose_classes(list(rows.classes), question.signal, question.background)
    is_signal, is_background = (np.isin(rows.classes, names)[rows.class_index] for names in (signal, background))
    test = domain.splits.test
    for names, chosen in ((signal, is_signal), (background, is_background)):
        if chosen[test].sum() < 2:
            raise InputError(f"domain {domain.name!r}: fewer than 2 test jets of {', '.join(names)}; generate more")
    return Truth(tuple(signal), tuple(background), is_signal, is_signal | is_background)


def transfer(learned: Domain, labels: Truth, tested: Domain, truth: Truth) -> tuple[PairTable, Task]:
    """Learn in one domain, be tested in another: a table of both, and the rows of the task.

    Labels of the tested domain are in the task for its test rows only.
    """
    first, second = learned.table, tested.table
    shift = first.rows.n_rows
    jets = concatenate([first, second])
    table = PairTable(
        **{field.name: getattr(jets, field.name) for field in fields(JetTable)},
        rows=concatenate_rows([first.rows, second.rows]),
    )
    train, validation = (side[labels.is_either[side]] for side in learned.splits.sides[:2])
    test = tested.splits.test[truth.is_either[tested.splits.test]]
    is_signal = np.zeros(table.rows.n_rows, np.bool_)
    for rows in (train, validation):
        is_signal[rows] = labels.is_signal[rows]
    is_signal[shift + test] = truth.is_signal[test]
    return table, Task(
        groups=(truth.signal, truth.background),
        view=0,
        train=train,
        validation=validation,
        test=shift + test,
        class_index=np.where(is_signal, 0, 1),
        hard_scatter=tested.table.rows.identity[test],
        weights=np.ones(table.rows.n_rows),
    )
