"""What `jetssl geometry` does: embed rows of a file in every view, measure where they lie, write it down."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import numpy as np

from jetssl.common.seeds import Stream, generator
from jetssl.common.threads import torch_threads
from jetssl.config.data import Fractions
from jetssl.data.features import FEATURE_SETS
from jetssl.data.splits import split_rows
from jetssl.data.table import PairTable, load_pairs
from jetssl.data.weights import NONE
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.latent_map import latent_map, write_map
from jetssl.evaluation.results import Origin, Result, write_records, write_results
from jetssl.evaluation.rotation import DEGREES, rotation
from jetssl.evaluation.similarity import Vectors, similarities, unit_vectors
from jetssl.evaluation.task import hash_of, warn_of_other_identities
from jetssl.models.checkpoints import LoadedEncoder, load_encoder
from jetssl.training.run_folder import RunFolder
from resim.card.view_plan import ViewRecord
from resim.card.view_tree import Freeze
from resim.common.arrays import Integers
from resim.common.errors import InputError
from resim.common.progress import ProgressReport
from resim.pairfile.reader import PairFile

FILES = ("results.json", "replicas.npy", "distributions.json", "map.npz")
"""What an output folder holds."""
FEWEST = 20
"""Rows below which the other rows of a row are too few."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Arguments of `jetssl geometry`."""

    run: Path
    file: Path
    output: Path
    views: tuple[str, ...] = ()
    """empty for all"""
    rows: int = 2000
    """at most so many; every row is compared with every other one"""
    seed: int = 1

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        words = ["jetssl", "geometry", str(self.run), str(self.file), "-o", str(self.output)]
        words += [word for view in self.views for word in ("--view", view)]
        return shlex.join([*words, "--rows", str(self.rows), "--seed", str(self.seed)])


def geometry(request: Geometry, *, quiet: bool = False) -> list[Result]:
    """Measure; writes `FILES` into the output folder.

    Raises:
        InputError: no usable run, file or views, or too few rows.
    """
    run = RunFolder(request.run)
    card = run.load_card()
    loaded = load_encoder(run.best)
    table = load_pairs([request.file], columns=FEATURE_SETS[card.data.feature_set].columns, weights=NONE)
    warn_of_other_identities(run, table.rows)
    views = _views(table, request.views)
    rows = _rows(request, table, views, card.data.fractions)
    passes = len(views) + len(DEGREES)
    with (
        torch_threads(card.training.threads),
        ProgressReport("geometry", passes * len(rows), "jets", quiet) as progress,
    ):
        vectors = _vectors(loaded, table, views, rows, progress)
        facts = _facts(loaded, table, vectors, Origin(request.seed, request.command))
        turned = list(rotation(loaded, table, rows, vectors, facts, progress))
    results, shapes = similarities(vectors, facts, request.seed)
    results += turned
    with PairFile(request.file) as pairs:
        shares = [shared_stages(pairs.views, *pair) for pair in combinations(views, 2)]
    write_map(
        request.output / FILES[3], latent_map(vectors.unit, views, table.rows.label[rows], shares, request.seed)
    )
    write_records(request.output / FILES[2], shapes)
    write_results(request.output / FILES[0], results)
    return results


def _views(table: PairTable, wanted: tuple[str, ...]) -> tuple[str, ...]:
    known = table.rows.views
    for name in wanted:
        if name not in known:
            raise InputError(f"--view {name!r} is not among the views of the file: {', '.join(known)}")
    views = tuple(name for name in known if name in wanted or not wanted)
    if len(views) < 2:
        raise InputError(f"a geometry of pairs needs two views, there is {', '.join(views)}; name more with --view")
    return views


def _rows(request: Geometry, table: PairTable, views: tuple[str, ...], fractions: Fractions) -> Integers:
    """Random rows of the test split that are valid in all views."""
    places = [table.rows.views.index(name) for name in views]
    test = split_rows(table.rows, fractions).test
    test = test[table.rows.valid[places][:, test].all(axis=0)]
    if len(test) < FEWEST:
        raise InputError(
            f"{request.file}: the test split has {len(test)} rows with a jet in all of {', '.join(views)}, want at"
            f" least {FEWEST}; choose fewer views with --view, or generate more events"
        )
    return generator(request.seed, Stream.GEOMETRY).permutation(test)[: request.rows]


def _vectors(
    loaded: LoadedEncoder, table: PairTable, views: tuple[str, ...], rows: Integers, progress: ProgressReport
) -> Vectors:
    of_views, kinematics = [], []
    for name in views:
        view = table.rows.views.index(name)
        found = embed(loaded.encoder, table, np.full(len(rows), view), rows, loaded.card.data.feature_set)
        of_views.append(unit_vectors(found))
        kinematics.append(np.stack([table.jets.pt[view, rows], table.jets.eta[view, rows]], axis=1))
        progress.advance(len(rows))
    source = table.rows
    return Vectors(
        views,
        np.stack(of_views),
        np.stack(kinematics),
        source.class_index[rows],
        source.identity[rows],
    )


def _facts(loaded: LoadedEncoder, table: PairTable, vectors: Vectors, origin: Origin) -> dict[str, Any]:
    """What every record says of the encoder and the rows; no labels are used."""
    return {
        "task": "+".join(np.array(table.rows.classes)[np.unique(vectors.jet_class)]),
        "encoder": loaded.card.encoder.name,
        "baseline": None,
        "method": "geometry",
        "n_labels": 0,
        "all_labels": False,
        "n_draws": 1,
        "n_test": len(vectors.jet_class),
        "n_hard_scatters": len(np.unique(vectors.hard_scatter)),
        "test_set": hash_of(vectors.hard_scatter),
        "seed": origin.seed,
        "command": origin.command,
    }


def shared_stages(views: Sequence[ViewRecord], one: str, other: str) -> str:
    """Last stage up to which two views are one simulation."""
    by_name = {view.name: view for view in views}

    def ancestors(name: str) -> list[str]:
        parent = by_name[name].parent
        return [name, *(ancestors(parent) if parent else [])]

    ways = ancestors(one), ancestors(other)
    apart = [by_name[name].freeze for way in ways for name in way if name not in ways[0] or name not in ways[1]]
    stages = get_args(Freeze)
    return str(stages[min(stages.index(freeze) for freeze in apart)])
