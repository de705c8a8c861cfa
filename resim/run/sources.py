"""The sources of a run: surveyed and checked before any work is done."""

import logging
import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np

from resim.card.generation_card import GenerationCard, Source
from resim.card.run_options import RunOptions
from resim.card.view_plan import ViewPlan
from resim.common.errors import InputError
from resim.common.units import PROTON
from resim.hard_scatter.lhe_header import read_header
from resim.hard_scatter.lhe_reading import Survey, survey
from resim.hard_scatter.matching import Matching, matching_of
from resim.hard_scatter.partons import Label
from resim.pairfile.provenance import SourceRecord
from resim.run.chunks import Plan, SourcePlan

_STANDARD_MODEL: Final = frozenset((*range(1, 7), *range(11, 17), *range(21, 26)))
_TWICE: Final = "rows of their own with seeds of their own, on one side of jetssl's split; is that meant?"
log = logging.getLogger(__name__)


def survey_source(source: Source, options: RunOptions, card: GenerationCard) -> Survey:
    """Read a source once and check that it holds what the card wants of it.

    Args:
        source: the source.
        options: how many events, and whether broken ones are passed over.
        card: whether resonances decay alike in all views, and which weights are kept.

    Raises:
        InputError: it is broken, or holds no particle of the kind.
    """
    found = survey(source.lhe, options.n_events, options.skip_bad_events, card.weights == "all")
    if not set(source.rows) & found.pdg_ids:
        raise InputError(
            f"{source.lhe}: no particle with |PDG id| {sorted(source.rows)} among its outgoing particles and"
            f" resonances ({sorted(found.pdg_ids)}); correct `rows` in the card or choose another file"
        )
    undecayed = sorted({child for row, child in found.undecayed if row in source.rows})
    if undecayed and card.decay != "frozen":
        log.warning(
            "%s: leaves PDG ids %s undecayed, in rows or in their decays; views with a shower of their own decay them"
            " anew, in other channels: let the program of the hard scatter decay them, or say `decay: frozen`",
            source.lhe,
            undecayed,
        )
    if found.unbalanced_decays:
        log.warning(
            "%s: in %d events a decay does not conserve momentum; look at the program that made them",
            source.lhe,
            found.unbalanced_decays,
        )
    if repeats := len(found.identities) - len(np.unique(found.identities)):
        log.warning("%s: %d events equal an earlier one: %s", source.lhe, repeats, _TWICE)
    return found


def plan_source(lhe: Path, labels: dict[int, Label], found: Survey) -> SourcePlan:
    """The source as the simulation needs it."""
    slha = read_header(lhe).slha
    return SourcePlan(lhe, found.sha256, found.beams, labels, frozenset(found.bad_events), slha, found.announced)


def check_known(source: SourcePlan, found: Survey, views: Sequence[ViewPlan]) -> None:
    """Check that somebody says what every particle of a source is.

    Raises:
        InputError: neither Pythia, nor the header of the file, nor the card of a view that Pythia makes does.
    """
    foreign = found.pdg_ids - _STANDARD_MODEL - read_header(source.path).new_particles
    for view in views:
        if foreign and view.generator.name == "pythia8":
            from resim.shower.event_record import unknown_ids  # Pythia, which most runs need in the workers only

            defined = {i for i in foreign if any(line.startswith(f"{i}:") for line in view.generator.lines)}
            if unknown := sorted(unknown_ids(foreign - defined)):
                raise InputError(
                    f"{source.path}: PDG id {unknown[0]} is unknown to Pythia, and the file's header has no BLOCK"
                    f" QNUMBERS {unknown[0]}; define it in the card of the view {view.name} ({unknown[0]}:new = ...)"
                )


def ignored_matching(source: SourcePlan, found: Survey, views: Sequence[ViewPlan], ignore: bool) -> str:
    """The matching that the views do not do although the source was made for it; empty if they do, or there is none.

    Raises:
        InputError: there is one, and it is not to be ignored.
    """
    matching = matching_of(read_header(source.path).text, found.generator)
    if matching is None:
        return ""
    lacks = {view.name: _lacks(matching, view) for view in views if view.shower_owner == view.name}
    if not (reasons := {name: reason for name, reason in lacks.items() if reason}):
        return ""
    name, reason = next(iter(reasons.items()))
    if not ignore:
        raise InputError(
            f"{source.path}: was made for {matching.scheme}, but the view {name} {reason}; --ignore-matching to"
            " shower it all the same, which counts emissions twice or not at all"
        )
    log.warning("%s: was made for %s, which is ignored: the view %s %s", source.path, matching.scheme, name, reason)
    return matching.scheme


def _lacks(matching: Matching, view: ViewPlan) -> str:
    """What a view lacks of a matching, as the end of a sentence; empty if it does it."""
    vincia = "PartonShowers:model = 2" in view.generator.lines  # its starting scales are its own
    if not matching.settings or view.generator.name != "pythia8" or vincia:
        return "does not do that"
    missing = matching.missing(view.generator.lines)
    return f"does not set {missing[0]} (see {matching.preset})" if missing else ""


def record_of(source: Source, found: Survey) -> SourceRecord:
    """The source as the pair file describes it, before any row is counted."""
    if n_bad := len(found.bad_events):
        log.warning("%s: passing over %d broken events; the first: %s", source.lhe, n_bad, found.first_bad)
    if found.weights.differ:
        log.warning(
            "%s: %s; jetssl counts rows by them, unless its card says `data.weights: none`", source.lhe, found.weights
        )
    return SourceRecord(
        lhe=str(source.lhe),
        sha256=found.sha256,
        events_in_file=found.n_events,
        generator=found.generator,
        beams=found.beams.as_pairs,
        weights=found.weights.model_dump(),
        bad_events={str(reason): n for reason, n in found.bad_reasons.items()},
    )


def weight_names(card: GenerationCard, surveys: Sequence[Survey]) -> tuple[str, ...] | None:
    """Names of the weights that are kept beside XWGTUP, in the order of their coming; None if none are."""
    if card.weights != "all":
        return None
    for source, found in zip(card.sources, surveys, strict=True):
        if not found.weight_names:
            log.warning("%s: `weights: all`, but its events have none beside XWGTUP", source.lhe)
    return tuple(dict.fromkeys(name for found in surveys for name in found.weight_names))


def repeats_of(surveys: Sequence[Survey]) -> list[int]:
    """How many events of each source equal an earlier one, of it or of a source before it."""
    every = np.concatenate([found.identities for found in surveys])
    is_repeat = np.ones(len(every), np.bool_)
    is_repeat[np.unique(every, return_index=True)[1]] = False
    ends = np.cumsum([len(found.identities) for found in surveys])
    return [int(part.sum()) for part in np.split(is_repeat, ends[:-1])]


def check_together(plan: Plan, surveys: Sequence[Survey]) -> None:
    """Check that the sources and the pools of pile-up fit each other; events that several sources have are said.

    Raises:
        InputError: a source is there twice, beams differ though the card does not say so, or a pool has other beams.
    """
    _refuse_twins(plan)
    _warn_of_shared_events(plan, surveys)
    _check_beams(plan)
    _check_pools(plan)


def _refuse_twins(plan: Plan) -> None:
    """Raise an `InputError` if one file is there twice: its rows would be, with the same seeds."""
    seen: dict[str, Path] = {}
    for source in plan.sources:
        if source.sha256 in seen:
            raise InputError(
                f"{source.path}: the same events as {seen[source.sha256]}; name it once, with all its `rows`"
            )
        seen[source.sha256] = source.path


def _warn_of_shared_events(plan: Plan, surveys: Sequence[Survey]) -> None:
    found = list(zip(plan.sources, surveys, strict=True))
    for (one, first), (other, second) in combinations(found, 2):
        if shared := len(np.intersect1d(first.identities, second.identities)):
            log.warning("%s: %d events equal events of %s: %s", other.path, shared, one.path, _TWICE)


def _check_beams(plan: Plan) -> None:
    """Raise an `InputError` if sources have different beams and the card does not say so."""
    first, *others = plan.sources
    for source in others:
        if not plan.card.different_beams and not _alike(first.beams.as_pairs, source.beams.as_pairs):
            raise InputError(
                f"{source.path}: beams {source.beams}, but {first.path} has {first.beams}; classes would differ by"
                " that; take sources of the same beams, or say `different_beams: true` in the card"
            )


def _alike(a: Sequence[tuple[int, float]], b: Sequence[tuple[int, float]]) -> bool:
    """Whether beams have the same PDG ids, and energies but for rounding."""
    pairs = zip(a, b, strict=True)
    return all(one[0] == other[0] and math.isclose(one[1], other[1], rel_tol=1e-6) for one, other in pairs)


def _check_pools(plan: Plan) -> None:
    """Raise an `InputError` if pile-up was made of other beams than the hard scatters."""
    from resim.detector.pool import Pool

    detectors = [view.detector.stage for view in plan.views if view.detector]
    for pool in map(Pool.open, {stage.pileup.pool for stage in detectors if stage.pileup}):
        e_cm = pool.provenance.e_cm
        for source in plan.sources:
            if not _alike(source.beams.as_pairs, ((PROTON, e_cm / 2), (PROTON, e_cm / 2))):
                raise InputError(
                    f"{pool.path}: pile-up at {e_cm:g} GeV, of two equal proton beams, but {source.path} has beams"
                    f" {source.beams}; make a pool with `resim pileup --e-cm {2 * source.beams.energy_a:g}`"
                )
