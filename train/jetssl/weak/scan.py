"""What `jetssl cwola` does: inject more and more signal into background, search without labels, see what is found.

Letters: R rows, E events, D numbers of a jet.
"""

import logging
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from scipy.stats import kstest, norm

from jetssl.common.seeds import Stream, generator, torch_seed
from jetssl.common.threads import torch_threads
from jetssl.config.data import DataCard, Fractions
from jetssl.config.evaluation import CwolaCard, CwolaInput
from jetssl.data.features import FEATURE_SETS
from jetssl.data.jet_table import OPTIONAL_COLUMNS
from jetssl.data.rows import Rows
from jetssl.data.splits import split_rows
from jetssl.data.table import PairTable, load_pairs
from jetssl.evaluation.baselines import wide_features
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.embedding_cache import run_vectors
from jetssl.evaluation.task import choose_classes, warn_of_known_classes, warn_of_other_identities
from jetssl.models.builder import build_encoder
from jetssl.models.checkpoints import LoadedEncoder, load_encoder
from jetssl.models.normalization import Normalized
from jetssl.training.run_folder import RunFolder
from jetssl.weak.cwola import Events, Finding, search
from jetssl.weak.dijets import DiJets, dijets
from jetssl.weak.spectrum import MassWindow
from resim.common.arrays import Floats32, Integers
from resim.common.atomic_write import write_text
from resim.common.errors import InputError
from resim.common.progress import ProgressReport

log = logging.getLogger(__name__)

FILE: Final = "scan.json"
"""What an output folder holds."""
WITHOUT_PT: Final = [0, 1, 2, 4, 5]
"""Columns of `wide_features` that are read: soft-drop mass, mass, multiplicity, tau21, tau32. The pT of a jet would
tell the mass of the event."""


@dataclass(frozen=True, slots=True)
class ResonanceScan:
    """Arguments of `jetssl cwola`."""

    run: Path
    output: Path
    card: CwolaCard

    @property
    def command(self) -> str:
        """The command line that asks for this."""
        return shlex.join(["jetssl", "cwola", str(self.run), "-o", str(self.output), *self.card.words])


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScanPoint(_Record):
    """All repetitions with one input and one number of injected signal events; lists have one entry for each."""

    baseline: CwolaInput | None
    """None for the pre-trained encoder"""
    injected: int
    """signal events in the sidebands and the region"""
    in_region: float
    """those in the signal region, mean"""
    before: list[float]
    """significance of the excess without a cut"""
    after: list[float]
    """with it"""
    sculpting: list[float]
    """share of events that the cut keeps in the lower sideband minus that in the upper one, over its error"""
    quality: list[float]
    """probability of a larger deviance of the sidebands from the fit of all events"""

    @property
    def uniformity(self) -> float:
        """Probability (Kolmogorov and Smirnov) that p-values after the cut scatter as much if they are uniform."""
        return float(kstest(norm.sf(self.after), "uniform").pvalue)


class Scan(_Record):
    """What was searched, and what was found."""

    signal: tuple[str, ...]
    background: tuple[str, ...]
    encoder: str
    view: str
    window: tuple[float, float, float, float]
    """GeV: start of the lower sideband, signal region, end of the upper sideband"""
    efficiency: float
    n_background: int
    """background events of a repetition, in sidebands and region"""
    n_available: int
    """those that they are drawn from"""
    repetitions: int
    seed: int
    command: str
    points: list[ScanPoint]


def scan(request: ResonanceScan, *, quiet: bool = False) -> Scan:
    """Search, and write `FILE` into the output folder.

    Raises:
        InputError: no usable run, file, class or window, or too few events.
    """
    run, asked = RunFolder(request.run), request.card
    loaded, edges = load_encoder(run.best, run.load_card()), asked.edges
    window = MassWindow(edges[1:3], (edges[0], edges[3]))
    table = _table(asked, loaded.card.data)
    signal, background = choose_classes(list(table.rows.classes), asked.signal, asked.background)
    warn_of_training(run, loaded, table.rows, signal)
    view = _view_index(table, asked.view)
    events = dijets(table, view, signal, background, asked.delta_eta)
    events = _in_window(unseen(events, table.rows, run.load_provenance().digests, loaded.card.data.fractions), asked)
    counts, n_background = asked.signal_counts, int(asked.sample * (~events.is_signal).sum())
    with torch_threads(loaded.card.training.threads):
        inputs = _inputs(run, loaded, table, view, events, asked)
    with ProgressReport("cwola", len(inputs) * len(counts) * asked.repetitions, "searches", quiet) as progress:
        points = [
            _point(name, vectors, events, window, (injected, n_background), asked, progress)
            for name, vectors in inputs.items()
            for injected in counts
        ]
    found = Scan(
        signal=signal,
        background=background,
        encoder=loaded.card.encoder.name,
        view=table.rows.views[view],
        window=edges,
        efficiency=asked.efficiency,
        n_background=n_background,
        n_available=int((~events.is_signal).sum()),
        repetitions=asked.repetitions,
        seed=asked.seed,
        command=request.command,
        points=points,
    )
    write_text(request.output / FILE, found.model_dump_json(indent=1) + "\n")
    return found


def _table(asked: CwolaCard, data: DataCard) -> PairTable:
    """The jets of the card's files, or else of the training's, with the columns of both."""
    columns = dict.fromkeys((*OPTIONAL_COLUMNS, *FEATURE_SETS[data.feature_set].columns))
    return load_pairs(asked.data or data.files, columns=tuple(columns), weights="none")


def _in_window(events: DiJets, asked: CwolaCard) -> DiJets:
    events = events.take((events.mass >= asked.edges[0]) & (events.mass < asked.edges[3]))
    if (wanted := max(asked.signal_counts)) > (there := int(events.is_signal.sum())):
        raise InputError(
            f"--injected {wanted}: the window holds {there} signal events that the encoder was not trained on;"
            " generate more"
        )
    return events


def warn_of_training(run: RunFolder, loaded: LoadedEncoder, rows: Rows, signal: Sequence[str]) -> None:
    """Say what an encoder knows of the events that makes a search less than one without labels."""
    warn_of_other_identities(run, rows)
    warn_of_known_classes(loaded, signal)
    if loaded.card.objective.reads_labels:
        name = loaded.card.objective.name
        log.warning("the encoder learned from labels (objective %s): this is no search without them", name)


def unseen(events: DiJets, rows: Rows, trained_on: Sequence[str], fractions: Fractions) -> DiJets:
    """Events that an encoder was neither trained nor validated on: of its files, those of the test split.

    Args:
        events: to search.
        rows: of all files.
        trained_on: digests of the files of its training.
        fractions: of its split.
    """
    seen = np.repeat([file.digest in trained_on for file in rows.files], [file.rows for file in rows.files])
    seen[split_rows(rows, fractions).test] = False
    seen = np.isin(rows.identity, rows.identity[seen])  # the same hard scatter may sit in another file, too
    return events.take(np.asarray(~seen[events.rows].any(1)))


def read_scan(folder: Path) -> Scan:
    """What `scan` has written.

    Raises:
        InputError: unreadable, or of another schema.
    """
    try:
        return TypeAdapter(Scan).validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"{folder / FILE}: no results of `jetssl cwola`; search again with --force") from error


def _view_index(table: PairTable, name: str) -> int:
    views = table.rows.views
    if name and name not in views:
        raise InputError(f"--view {name!r} is not among the common views: {', '.join(views)}")
    return views.index(name) if name else 0


def _inputs(  # noqa: PLR0913, PLR0917
    run: RunFolder, loaded: LoadedEncoder, table: PairTable, view: int, events: DiJets, asked: CwolaCard
) -> Mapping[CwolaInput | None, Floats32]:
    """Vectors of all rows `(R, D)` by input; those of rows of no event may be 0."""
    inputs: dict[CwolaInput | None, Floats32] = {None: run_vectors(run, loaded, table, view)}
    if "random" in asked.baseline:
        encoder = build_encoder(loaded.card, torch_seed(asked.seed, Stream.RANDOM_ENCODER, 0))
        if isinstance(encoder, Normalized):
            encoder.adopt(loaded.encoder)
        rows = np.unique(events.rows)
        vectors = embed(encoder, table, np.full(len(rows), view), rows, loaded.card.data.feature_set)
        inputs["random"] = np.zeros((table.rows.n_rows, vectors.shape[1]), np.float32)
        inputs["random"][rows] = vectors
    if "features" in asked.baseline:
        inputs["features"] = wide_features(table, view)[:, WITHOUT_PT]
    return inputs


def _point(  # noqa: PLR0913, PLR0917
    name: CwolaInput | None,
    vectors: Floats32,
    events: DiJets,
    window: MassWindow,
    sizes: tuple[int, int],
    asked: CwolaCard,
    progress: ProgressReport,
) -> ScanPoint:
    """Searches in other draws of the events, the same draws for every input."""
    found: list[Finding] = []
    in_region: list[int] = []
    for repetition in range(asked.repetitions):
        rng = generator(asked.seed, Stream.CWOLA, sizes[0], repetition)
        chosen = draw_events(events, sizes, rng)
        sample = Events(events.mass[chosen], vectors[events.rows[chosen]].astype(np.float64))
        found.append(search(sample, window, asked.efficiency, rng))
        in_region.append(int((events.is_signal[chosen] & window.inside(sample.mass)).sum()))
        progress.advance(1)
    return ScanPoint(
        baseline=name,
        injected=sizes[0],
        in_region=float(np.mean(in_region)),
        before=[one.before.significance for one in found],
        after=[one.after.significance for one in found],
        sculpting=[one.sculpting for one in found],
        quality=[one.quality for one in found],
    )


def draw_events(events: DiJets, sizes: Sequence[int], rng: np.random.Generator) -> Integers:
    """Indices of so many signal and so many background events, each at most once."""
    kinds = np.flatnonzero(events.is_signal), np.flatnonzero(~events.is_signal)
    return np.concatenate([rng.choice(kind, size, replace=False) for kind, size in zip(kinds, sizes, strict=True)])
