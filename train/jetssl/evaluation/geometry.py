"""What `jetssl geometry` does: embed rows of a file in every view, measure where they lie, write it down."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import numpy as np
from torch import nn

from jetssl.common.seeds import Stream, generator
from jetssl.common.threads import torch_threads
from jetssl.config.evaluation import GeometryCard
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jets import Jets
from jetssl.data.splits import split_rows
from jetssl.data.table import PairTable, load_pairs
from jetssl.data.views import among, named
from jetssl.data.weights import NONE
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.embedding_cache import run_vectors
from jetssl.evaluation.latent_map import latent_map, write_map
from jetssl.evaluation.layers import Layer, apply, parse_layer, trained_layer
from jetssl.evaluation.results import Origin, Result, write_records, write_results
from jetssl.evaluation.rotation import DEGREES, rotation
from jetssl.evaluation.similarity import Vectors, similarities, unit_vectors
from jetssl.evaluation.task import hash_of, warn_of_other_identities
from jetssl.models.checkpoints import LoadedEncoder, load_encoder
from jetssl.training.run_folder import RunFolder
from resim.card.view_plan import ViewRecord
from resim.card.view_tree import Freeze
from resim.common.arrays import Floats32, Integers
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
    card: GeometryCard

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        places = [str(self.run), str(self.file), "-o", str(self.output)]
        return shlex.join(["jetssl", "geometry", *places, *self.card.words])


@dataclass(frozen=True, slots=True)
class _Sample:
    """Rows of the test split as a layer of the run sees them."""

    run: RunFolder
    loaded: LoadedEncoder
    layer: Layer
    project: nn.Module
    """from the encoder's vectors to those of the layer"""
    table: PairTable
    views: tuple[str, ...]
    side: Integers
    """the test split"""
    rows: Integers
    """those of it that are looked at"""

    def vectors(self, progress: ProgressReport) -> Vectors:
        """Of the jets as they are."""
        of_views, kinematics, rows = [], [], self.rows
        for name in self.views:
            view = self.table.rows.views.index(name)
            of_views.append(self._directions(run_vectors(self.run, self.loaded, self.table, view, self.side)[rows]))
            kinematics.append(np.stack([self.table.jets.pt[view, rows], self.table.jets.eta[view, rows]], axis=1))
            progress.advance(len(rows))
        classes, identity = self.table.rows.class_index[rows], self.table.rows.identity[rows]
        return Vectors(self.views, np.stack(of_views), np.stack(kinematics), classes, identity)

    def turned(self, progress: ProgressReport, change: Callable[[Jets], Jets]) -> Floats32:
        """Directions of changed jets of the first view, float32 `(B, D)`."""
        view = np.full(len(self.rows), self.table.rows.views.index(self.views[0]))
        features = self.loaded.card.data.feature_set
        found = embed(self.loaded.encoder, self.table, view, self.rows, features, change=change)
        progress.advance(len(self.rows))
        return self._directions(found)

    def _directions(self, vectors: Floats32) -> Floats32:
        return unit_vectors(apply(self.project, vectors))


def geometry(request: Geometry, *, quiet: bool = False) -> list[Result]:
    """Measure; writes `FILES` into the output folder.

    Raises:
        InputError: no usable run, file or views, or too few rows.
    """
    sample = _sample(request)
    passes = len(sample.views) + len(DEGREES)
    threads = sample.loaded.card.training.threads
    with torch_threads(threads), ProgressReport("geometry", passes * len(sample.rows), "jets", quiet) as progress:
        vectors = sample.vectors(progress)
        facts = _facts(sample, vectors, Origin(request.card.seed, request.command))
        turned = list(rotation(partial(sample.turned, progress), vectors, facts))
    results, shapes = similarities(vectors, facts, request.card.seed)
    results += turned
    with PairFile(request.file) as pairs:
        shares = [shared_stages(pairs.views, *pair) for pair in combinations(sample.views, 2)]
    labels = sample.table.rows.label[sample.rows]
    found = latent_map(vectors.unit, sample.views, labels, shares, request.card.seed)
    write_map(request.output / FILES[3], found)
    write_records(request.output / FILES[2], shapes)
    write_results(request.output / FILES[0], results)
    return results


def _sample(request: Geometry) -> _Sample:
    run, layer = RunFolder(request.run), parse_layer(request.card.layer)
    card = run.load_card()
    loaded, project = load_encoder(run.best, card), trained_layer(run, layer)
    table = load_pairs([request.file], columns=FEATURE_SETS[card.data.feature_set].columns, weights=NONE)
    warn_of_other_identities(run, table.rows)
    views, side = _views(table, request.card.view), split_rows(table.rows, card.data.fractions).test
    return _Sample(run, loaded, layer, project, table, views, side, _rows(request, table, views, side))


def _views(table: PairTable, wanted: tuple[str, ...]) -> tuple[str, ...]:
    known = table.rows.views
    for name in wanted:
        if not named(name, known):
            raise InputError(f"--view {name!r} is not among the views of the file: {', '.join(known)}")
    views = among(wanted, known)
    if len(views) < 2:
        raise InputError(f"a geometry of pairs needs two views, there is {', '.join(views)}; name more with --view")
    return views


def _rows(request: Geometry, table: PairTable, views: tuple[str, ...], side: Integers) -> Integers:
    """Random rows of the test split that are valid in all views."""
    places = [table.rows.views.index(name) for name in views]
    test = side[table.rows.valid[places][:, side].all(axis=0)]
    if len(test) < FEWEST:
        raise InputError(
            f"{request.file}: the test split has {len(test)} rows with a jet in all of {', '.join(views)}, want at"
            f" least {FEWEST}; choose fewer views with --view, or generate more events"
        )
    return generator(request.card.seed, Stream.GEOMETRY).permutation(test)[: request.card.rows]


def _facts(sample: _Sample, vectors: Vectors, origin: Origin) -> dict[str, Any]:
    """What every record says of the encoder and the rows; no labels are used."""
    return {
        "task": "+".join(np.array(sample.table.rows.classes)[np.unique(vectors.jet_class)]),
        "encoder": sample.loaded.card.encoder.name,
        "baseline": None,
        "method": "geometry",
        "layer": str(sample.layer),
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
