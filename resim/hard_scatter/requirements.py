"""Check finished events against what their process card requires."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pylhe

from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import event_blocks, parse_event
from resim.hard_scatter.process_card import Requirement

_TOLERANCE: Final = 1e-3
"""Relative: cuts are applied before the momenta are boosted and rounded to the digits of the file."""


def check_requirements(path: Path, requirements: Sequence[Requirement]) -> None:
    """Check every event of an LHE file.

    Raises:
        InputError: a particle fails a requirement, or there is no particle of the kind in the whole file.
    """
    unmet = set(requirements)
    for index, block in event_blocks(path) if requirements else ():
        event = parse_event(block, path, index)
        for requirement in requirements:
            for particle in _concerned(event, requirement):
                unmet.discard(requirement)
                if failure := _failure(particle, requirement):
                    raise InputError(
                        f"event {index}: {failure}, so the cut did not act; correct the cut or `require` in the card"
                    )
    for requirement in requirements:
        if requirement in unmet:
            raise InputError(f"no event holds a particle of |PDG id| {list(requirement.pdg_ids)}; correct `require`")


def _concerned(event: pylhe.LHEEvent, requirement: Requirement) -> Iterator[pylhe.LHEParticle]:
    return (p for p in event.particles if p.status > 0 and abs(p.id) in requirement.pdg_ids)


def _failure(p: pylhe.LHEParticle, requirement: Requirement) -> str | None:
    pt = math.hypot(p.px, p.py)
    abs_eta = math.asinh(abs(p.pz) / pt) if pt > 0 else math.inf
    if pt < requirement.pt_min * (1 - _TOLERANCE):
        return f"particle {p.id} has pT {pt:.6g} GeV, required are at least {requirement.pt_min} GeV"
    if requirement.pt_max is not None and pt > requirement.pt_max * (1 + _TOLERANCE):
        return f"particle {p.id} has pT {pt:.6g} GeV, required are at most {requirement.pt_max} GeV"
    if requirement.abs_eta_max is not None and abs_eta > requirement.abs_eta_max + _TOLERANCE:
        return f"particle {p.id} has |eta| {abs_eta:.4g}, required is at most {requirement.abs_eta_max}"
    return None
