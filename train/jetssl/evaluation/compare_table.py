"""The comparison of runs as one table: rows are runs, columns are figures; the other way round if these are many."""

from typing import Final

from jetssl.evaluation.compare import RunTable
from jetssl.evaluation.results import Result
from jetssl.evaluation.table import TableBlock, rejection_cell, weights_note

MOST_COLUMNS: Final = 8
"""Figures side by side, where there are more of them than runs."""


def comparison_block(table: RunTable) -> TableBlock:
    """Values, and in brackets the differences to the reference."""
    differences = table.differences
    rows = []
    for name, cells in table.cells.items():
        row = [name]
        for column in table.columns:
            difference = differences.get(name, {}).get(column)
            row.append(_cell(cells.get(column)) + (f" ({_plus_minus(difference, '+')})" if difference else ""))
        rows.append(tuple(row))
    questions = list(dict.fromkeys(column.question for column in table.columns))
    one = len(questions) == 1
    header = ("run", *(column.figure if one else f"{column.question}: {column.figure}" for column in table.columns))
    if MOST_COLUMNS < len(table.columns) > len(rows):
        header, *rows = zip(("figure", *header[1:]), *rows, strict=True)
    return TableBlock(questions[0] if one else "Comparison of runs", header, rows, _caption(table))


def _caption(table: RunTable) -> str:
    most = max((result for row in table.cells.values() for result in row.values()), key=lambda result: result.n_test)
    seeds = {name: max(result.n_seeds for result in row.values()) for name, row in table.cells.items()}
    return (
        f"{most.n_test} test jets ({most.n_hard_scatters} hard scatters). ±: test hard scatters, label draws and"
        f" training seeds ({', '.join(f'{name}: {number}' for name, number in seeds.items())}). ( ): minus"
        f" {table.reference}, paired in jets, and in label draws where there are as many. [ ]: binomial interval of a"
        f" rejection at the cut as it is{weights_note(most)}."
    )


def _cell(result: Result | None) -> str:
    if result is None:
        return ""
    if result.metric.startswith("rejection") and result.low is not None:
        return rejection_cell(result)
    return "unknown" if result.value is None else _plus_minus(result)


def _plus_minus(result: Result, sign: str = "") -> str:
    digits = 1 if result.metric.startswith("rejection") else 3
    return "unknown" if result.value is None else f"{result.value:{sign}.{digits}f} ± {result.error:.{digits}f}"
