"""Layouts of others with one view: JetClass's ROOT trees, parquet, OmniLearned's arrays."""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from resim.common.arrays import Arrays
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.formats.export_columns import (
    jetclass_jets,
    jetclass_particles,
    omnilearned_features,
    omnilearned_jets,
    padded,
)
from resim.formats.export_files import PaddedArrays, parquet_table, root_tree
from resim.formats.flat_jets import FlatJets, jets_of_view
from resim.formats.mapping_card import mapping_card
from resim.pairfile.reader import PairFile

ROWS_AT_ONCE: Final = 10_000
OMNILEARNED_CONSTITUENTS: Final = 150
"""Length of the arrays that OmniLearned was trained on; softer constituents are cut off."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to write.

    Attributes:
        views: names of views; none: the root view, for RS3L all.
        labels: label → class of the other format, where its name does not say it.
        quiet: report no progress.
    """

    views: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    quiet: bool = False


def _one_view(file: PairFile, options: ExportOptions) -> str:
    if len(options.views) > 1:
        raise InputError(f"--view {', '.join(options.views)}: this format holds one view; export them one by one")
    return (options.views or tuple(file.view_names))[0]


def _pieces(file: PairFile, view: str, quiet: bool) -> Iterator[FlatJets]:
    with ProgressReport("exporting", len(file), "rows", quiet) as report:
        for start in range(0, len(file), ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, len(file))
            jets = jets_of_view(file, view, start, stop)
            if len(jets):
                yield jets
            report.advance(stop - start)


def classes_of(file: PairFile, known: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Label of the file → class of the other format; labels qcd_... are its QCD.

    Args:
        file: the pair file.
        known: label → class, as the mapping card of the format has them.
        given: --label.

    Raises:
        InputError: a label has no class.
    """
    found = {}
    for label in file.labels:
        name = given.get(label, label)
        place = known.get(name) or (
            name if name in known.values() else known.get("qcd" if name.startswith("qcd_") else "")
        )
        if place is None:
            raise InputError(
                f"{file.path}: label {name!r} is none of {', '.join(known)}; say which with --label {label}=CLASS"
            )
        found[label] = place
    return found


def jetclass_root(file: PairFile, output: Path, options: ExportOptions) -> int:
    """A tree with JetClass's branches, whose flags say the class; returns the number of jets, as all layouts do."""
    flags = {label: flag for flag, label in (mapping_card("jetclass", None).labels.flags or {}).items()}
    classes, n_jets = classes_of(file, flags, options.labels), 0
    with root_tree(output) as sink:
        for jets in _pieces(file, _one_view(file, options), options.quiet):
            flag = np.array([classes[label] for label in jets.label.tolist()])
            columns: Arrays = {name: (flag == name).astype(np.int32) for name in flags.values()}
            sink.append(jetclass_jets(jets) | columns, jetclass_particles(jets), jets.counts)
            n_jets += len(jets)
        refuse_none(file, n_jets)
    return n_jets


def parquet(file: PairFile, output: Path, options: ExportOptions) -> int:
    """JetClass's columns, constituents as lists, the class by name in `label`; `resim_parquet` imports them."""
    n_jets = 0
    with parquet_table(output) as sink:
        for jets in _pieces(file, _one_view(file, options), options.quiet):
            names: Arrays = {"label": np.array([options.labels.get(label, label) for label in jets.label.tolist()])}
            sink.append(jetclass_jets(jets) | names, jetclass_particles(jets), jets.counts)
            n_jets += len(jets)
        refuse_none(file, n_jets)
    return n_jets


def omnilearned(file: PairFile, output: Path, options: ExportOptions) -> int:
    """`data` `(n_jets, 150, 9)`, `pid` (place of the class in the attribute `labels`), `global` `(n_jets, 5)`."""
    names = sorted({options.labels.get(label, label) for label in file.labels})
    n_jets = n_cut = 0
    with PaddedArrays(output, {"labels": json.dumps(names)}) as arrays:
        for jets in _pieces(file, _one_view(file, options), options.quiet):
            numbers = [names.index(options.labels.get(label, label)) for label in jets.label.tolist()]
            data = padded(omnilearned_features(jets), jets.counts, OMNILEARNED_CONSTITUENTS)
            arrays.append({"data": data, "pid": np.array(numbers, np.int64), "global": omnilearned_jets(jets)})
            n_jets, n_cut = n_jets + len(jets), n_cut + int((jets.counts > OMNILEARNED_CONSTITUENTS).sum())
        refuse_none(file, n_jets)
        arrays.complete()
    warn_of_cuts(output, n_cut, OMNILEARNED_CONSTITUENTS)
    return n_jets


def refuse_none(file: PairFile, n_jets: int) -> None:
    """Refuse to write a file without jets.

    Raises:
        InputError: there are none.
    """
    if n_jets == 0:
        raise InputError(f"{file.path}: no row has a jet in the views to export; choose other views with --view")


def warn_of_cuts(output: Path, n_cut: int, length: int) -> None:
    """Say how many jets have lost constituents to the fixed length of a layout."""
    if n_cut:
        log.warning("%s: %d jets have more than %d constituents; the softest are cut off", output, n_cut, length)
