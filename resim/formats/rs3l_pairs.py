"""The layout of RS3L (arXiv:2403.07066): jets of the same parton in two views, one after the other."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from resim.common.arrays import Arrays, Integers
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.formats.export_columns import padded, rs3l_features
from resim.formats.export_files import PaddedArrays
from resim.formats.flat_jets import FlatJets, concatenated, jets_of_view
from resim.formats.layouts import ROWS_AT_ONCE, ExportOptions, classes_of, refuse_none, warn_of_cuts
from resim.formats.mapping_card import MappingCard, mapping_card
from resim.pairfile.reader import PairFile

CONSTITUENTS: Final = 100
"""Length of the arrays; softer constituents are cut off."""
_JET_TYPES: Final = {"qcd_q": 1, "qcd_c": 2, "qcd_b": 3, "hbb": 4, "zbb": 9, "zqq": 10, "wqq": 11}
"""`jettype` by label; gluons are told apart there by how they split, which no label says: 0."""


def rs3l_hdf5(file: PairFile, output: Path, options: ExportOptions) -> int:
    """`features` `(n_jets, 100, 15)`, `truth_label`, `jettype`, `vartype` `(n_jets,)`; returns the number of jets.

    With one view every jet stands alone. With several, entry 2k is a jet of the first view, and entry 2k + 1 the jet
    of the same row in one of the others: of those in which the row is valid, each in its turn.

    Raises:
        InputError: RS3L has no number for a view, or no class for a label.
    """
    card = mapping_card("rs3l", None)
    truth = {label: str(number) for number, label in (card.labels.names or {}).items()}
    classes = {label: int(number) for label, number in classes_of(file, truth, options.labels).items()}
    views = options.views or tuple(file.view_names)
    numbers = _numbers_of_views(card, views)
    n_jets = n_cut = 0
    with PaddedArrays(output, {}) as arrays, ProgressReport("exporting", len(file), "rows", options.quiet) as report:
        for start in range(0, len(file), ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, len(file))
            jets, view = interleaved([jets_of_view(file, name, start, stop) for name in views], start, stop)
            if len(jets):
                arrays.append(_arrays(jets, numbers[view], classes))
            n_jets, n_cut = n_jets + len(jets), n_cut + int((jets.counts > CONSTITUENTS).sum())
            report.advance(stop - start)
        refuse_none(file, n_jets)
        arrays.complete()
    warn_of_cuts(output, n_cut, CONSTITUENTS)
    return n_jets


def _numbers_of_views(card: MappingCard, views: Sequence[str]) -> Integers:
    """`vartype` of each view; the first is the nominal one, whatever its name."""
    numbers = {name: number for number, name in card.views.names.items()} if card.views else {}
    root, *names = numbers
    if unknown := [view for view in views[1:] if view not in names]:
        raise InputError(
            f"view {unknown[0]!r} has no number in RS3L, which knows {', '.join(names)}; choose views with --view,"
            " the nominal one first"
        )
    return np.array([numbers[root], *(numbers[view] for view in views[1:])])


def interleaved(of_views: Sequence[FlatJets], start: int, stop: int) -> tuple[FlatJets, Integers]:
    """Jets of the first view and of one of the others in turn, row by row; those of the first if it is the only one.

    Args:
        of_views: the jets of rows `start:stop` in every view.
        start: first row.
        stop: one beyond the last.

    Returns:
        The jets, and the index of the view of each, int64 `(n_jets,)`.
    """
    place = np.full((len(of_views), stop - start), -1)
    first = np.cumsum([0, *(len(jets) for jets in of_views)])
    for k, jets in enumerate(of_views):
        place[k, jets.entry - start] = first[k] + np.arange(len(jets))
    everything = concatenated(of_views)
    if len(of_views) == 1:
        return everything, np.zeros(len(everything), np.int64)
    valid = place[1:] >= 0
    n_choices = valid.sum(axis=0)
    rows = np.flatnonzero((place[0] >= 0) & (n_choices > 0))
    turn = (start + rows) % n_choices[rows]
    view = 1 + np.argmax(valid[:, rows] & (np.cumsum(valid[:, rows], axis=0) == turn + 1), axis=0)
    index = np.stack([place[0, rows], place[view, rows]], axis=1).ravel()
    return everything.take(index), np.stack([np.zeros_like(view), view], axis=1).ravel()


def _arrays(jets: FlatJets, variation: Integers, classes: Mapping[str, int]) -> Arrays:
    labels = jets.label.tolist()
    return {
        "features": padded(rs3l_features(jets), jets.counts, CONSTITUENTS),
        "truth_label": np.array([classes[label] for label in labels], np.int64),
        "jettype": np.array([_JET_TYPES.get(label, 0) for label in labels], np.int64),
        "vartype": variation.astype(np.int64),
    }
