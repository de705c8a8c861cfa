"""Make a whole pair file again from what it says about itself, and compare digests."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from resim.card.generation_card import GenerationCard
from resim.card.run_options import RunOptions, Shard
from resim.card.view_plan import DetectorPlan, ViewPlan, file_digest, plan_from_records
from resim.common.commandline import refuse_existing
from resim.common.errors import InputError
from resim.common.versions import versions
from resim.hard_scatter.lhe_reading import survey
from resim.pairfile.digest import digest
from resim.pairfile.provenance import Provenance
from resim.pairfile.reader import PairFile
from resim.pairfile.recipe import stored_card
from resim.pairfile.writer import Storage
from resim.run.generate import make_pair_file
from resim.run.planning import plan_run, programs_of

_DETECTOR_CARDS: Final = ("*.tcl", "*.yaml", "*.yml")


@dataclass(frozen=True, slots=True)
class Reproduction:
    """A pair file that was made again.

    Attributes:
        before: digest of the file.
        now: digest of the new one, without columns that the schema of the file does not have.
        changed_versions: name → (version then, version now) of packages and programs that have changed since.
    """

    before: str
    now: str
    changed_versions: dict[str, tuple[str, str]]


def reproduce(path: Path, output: Path, folders: Sequence[Path], options: RunOptions) -> Reproduction:
    """Make a pair file again with the generator settings that it holds.

    Args:
        path: the pair file.
        output: the new one.
        folders: where input files are looked for by their hash if they are not where they were.
        options: how to run; seed, number of events and shard are those of the file.

    Raises:
        InputError: an input file is nowhere, or the run fails.
    """
    refuse_existing(output, options.force or options.resume)
    with PairFile(path) as file:
        provenance, version, storage = file.provenance, file.version, Storage(rounded=file.rounded)
        card = _with_sources(stored_card(provenance, path), provenance, folders)
        views = plan_from_records(file.views)
    options = replace(
        options,
        seed=provenance.seed,
        n_events=provenance.n_events,
        shard=Shard.parse(provenance.shard),
        skip_bad_events=any(source.bad_events for source in provenance.sources),
    )
    run = plan_run(card, options, tuple(_with_detector(view, folders) for view in views))
    make_pair_file(run, output, options, storage)
    present = versions() | programs_of(run.plan)
    before = provenance.versions
    changed = {name: (before[name], now) for name, now in present.items() if before.get(name, now) != now}
    return Reproduction(digest(path), digest(output, version), changed)


def _with_sources(card: GenerationCard, provenance: Provenance, folders: Sequence[Path]) -> GenerationCard:
    sources = [
        source.model_copy(
            update={"lhe": _located(Path(record.lhe), record.sha256, folders, ("*.lhe", "*.lhe.gz"), _lhe_digest)}
        )
        for source, record in zip(card.sources, provenance.sources, strict=True)
    ]
    return card.model_copy(update={"sources": sources})


def _with_detector(view: ViewPlan, folders: Sequence[Path]) -> ViewPlan:
    """The view with the files of its detector where they are now."""
    if view.detector is None:
        return view
    stage, wanted = view.detector.stage, view.detector

    def card_digest(path: Path) -> str:
        return DetectorPlan.of(stage.model_copy(update={"card": path, "pileup": None})).sha256

    card = _located(stage.card_path, wanted.sha256, folders, _DETECTOR_CARDS, card_digest)
    changes: dict[str, object] = {"card": card}
    if stage.pileup:
        pool = _located(stage.pileup.pool, wanted.pool_sha256, folders, ("*.h5", "*.hdf5"), file_digest)
        changes["pileup"] = stage.pileup.model_copy(update={"pool": pool})
    return replace(view, detector=replace(wanted, stage=stage.model_copy(update=changes)))


def _lhe_digest(path: Path) -> str:
    return survey(path, n_events=None, skip_bad=True).sha256


def _located(
    path: Path, sha256: str, folders: Sequence[Path], patterns: Sequence[str], digest_of: Callable[[Path], str]
) -> Path:
    """The file with this hash: where it was, else anywhere below the folders.

    Raises:
        InputError: there is none.
    """
    for candidate in _candidates(path, folders, patterns):
        try:
            if digest_of(candidate) == sha256:
                return candidate
        except InputError:  # not a file of this kind
            continue
    places = ", ".join(map(str, (path.parent, *folders)))
    raise InputError(
        f"{path.name}: no file with SHA-256 {sha256[:12]}... in {places}; name the folder that has it with --sources"
    )


def _candidates(path: Path, folders: Sequence[Path], patterns: Sequence[str]) -> Iterator[Path]:
    """The path itself, then files of the same name, then all others of the kind."""
    if path.is_file():
        yield path
    found = sorted({file for folder in folders for pattern in patterns for file in folder.rglob(pattern)})
    yield from sorted(found, key=lambda file: file.name != path.name)
