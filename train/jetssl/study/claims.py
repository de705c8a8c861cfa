"""Claims of a talk, decided by what was measured."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict

from jetssl.config.study import ClaimCard
from jetssl.evaluation.compare import Column, RunTable, paired_difference
from jetssl.evaluation.results import Result
from resim.common.errors import InputError

SIGNIFICANT = 2.0
"""Standard deviations from which a difference is called one."""
Verdict = Literal["holds", "does not hold", "not resolved"]


class Decision(BaseModel):
    """A claim with its figures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    says: str
    verdict: Verdict
    value: float | None
    """the figure; None where only a limit is known"""
    than: float | None
    """what it is compared with: the other row, a number, or the null value"""
    difference: float | None
    """value minus that"""
    error: float | None
    """of the difference, one standard deviation"""
    expected: Literal["larger", "smaller"]
    margin: float
    n_test: int
    n_labels: int
    n_draws: int
    n_seeds: int
    null: float | None
    """of the figure, where chance alone gives a known one"""
    command: str
    """that made the figure"""


def decide(claim: ClaimCard, tables: Mapping[str, RunTable]) -> Decision:
    """Whether a claim holds: by two standard deviations, or not, or that is not resolved.

    Args:
        claim: what is said.
        tables: of each question.

    Raises:
        InputError: no such figure, or more than one.
    """
    table = tables[claim.question]
    column, result = _figure(claim, table, claim.row)
    if claim.against:
        other = _cells(claim, table, claim.against).get(column)
        if other is None:
            raise InputError(f"claim {claim.says!r}: row {claim.against!r} has no {column.figure}; correct the card")
        change = paired_difference(result, other, claim.against)
        than, difference, error = other.value, change.value, change.error
    else:
        than = result.null if claim.than == "null" else claim.than
        difference = None if result.value is None or than is None else result.value - than
        error = result.error
    return Decision(
        **claim.model_dump(include={"says", "expected", "margin"}),
        **result.model_dump(include={"value", "n_test", "n_labels", "n_draws", "n_seeds", "null", "command"}),
        verdict=_verdict(claim, difference, error),
        than=than,
        difference=difference,
        error=error,
    )


def _verdict(claim: ClaimCard, difference: float | None, error: float | None) -> Verdict:
    if difference is None or not error:
        return "not resolved"
    sign = 1 if claim.expected == "larger" else -1
    sigmas = (sign * difference + claim.margin) / error
    if abs(sigmas) < SIGNIFICANT:
        return "not resolved"
    return "holds" if sigmas > 0 else "does not hold"


def _cells(claim: ClaimCard, table: RunTable, row: str) -> dict[Column, Result]:
    if row not in table.cells:
        raise InputError(f"claim {claim.says!r}: {claim.question} has no row {row!r}; rows: {', '.join(table.cells)}")
    return table.cells[row]


def _figure(claim: ClaimCard, table: RunTable, row: str) -> tuple[Column, Result]:
    """The only figure of a row that the claim can mean."""
    wanted = {
        "metric": claim.metric,
        "view": claim.view or None,
        "other_view": claim.other_view or None,
        "jet_class": claim.jet_class or None,
    }
    found = [
        (column, result)
        for column, result in _cells(claim, table, row).items()
        if all(value is None or fnmatchcase(getattr(column, name) or "", value) for name, value in wanted.items())
        and (claim.labels is None or column.n_labels == (None if claim.labels == "all" else claim.labels))
    ]
    if len(found) != 1:
        there = "; ".join(column.figure for column in table.cells[row])
        raise InputError(
            f"claim {claim.says!r}: row {row!r} of {claim.question} has {len(found)} figures {claim.metric!r}, want"
            f" one: say labels, view, other_view or jet_class; there are {there}"
        )
    return found[0]
