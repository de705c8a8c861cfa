"""Records of `jetssl evaluate` as tables, shared by the terminal and the report."""

from collections.abc import Iterable, Sequence

from jetssl.evaluation.results import Result
from jetssl.evaluation.table import TableBlock, rejection_cell, weights_note

POINT = 0.5
"""Signal efficiency whose rejection and shifts are shown; the others are in the records."""


def robustness_tables(results: Sequence[Result]) -> list[TableBlock]:
    """Performance by view, distances between views, and what the jets themselves look like."""
    return [_performance(results), _distances(results), _causes(results)]


def _performance(results: Sequence[Result]) -> TableBlock:
    rows = []
    by_key = {(r.run, r.metric, r.other_view or r.view): r for r in results if not r.jet_class}
    for result in results:
        if result.metric != "auc":
            continue
        cells = [by_key.get((result.run, metric, result.view)) for metric in _shifts()]
        rejection = rejection_cell(by_key[result.run, f"rejection_at_{POINT}", result.view])
        rows.append((result.run or "", result.view, _cell(result), rejection, *(_cell(cell, "+") for cell in cells)))
    first = results[0]
    header = ("run", "view", "AUC", f"1/ε_b at ε_s={POINT}", "Δε_b", "Δε_s")
    caption = (
        f"{first.n_test} test jets ({first.n_hard_scatters} hard scatters) with a jet in every view. Δ: minus that"
        f" of {first.view}; ε_b at the cut that keeps {POINT:.0%} of the signal of the same view, ε_s at the cut that"
        f" keeps {POINT:.0%} of that of {first.view}. ± from test hard scatters, label draws and training seeds;"
        f" shifts are paired{weights_note(first)}."
    )
    return TableBlock(f"Performance by view: {first.task.replace('_vs_', ' vs ')}", header, rows, caption)


def _shifts() -> Iterable[str]:
    return (f"{kind}_efficiency_shift_at_{POINT}" for kind in ("background", "signal"))


def _distances(results: Sequence[Result]) -> TableBlock:
    by_key = {(r.run, r.metric, r.jet_class, r.other_view): r for r in results}
    rows = []
    for result in results:
        if result.metric != "wasserstein_1":
            continue
        key = result.jet_class, result.other_view
        row = [result.run or "", result.jet_class or "", result.other_view or ""]
        for metric in ("wasserstein_1", "jensen_shannon"):
            found = by_key[result.run, metric, *key]
            row += [
                _cell(found, digits=4),
                f"{found.null:.4f}",
                _cell(by_key.get((result.run, f"{metric}_ratio", *key))),
            ]
        rows.append(tuple(row))
    reference = next((result.reference for result in results if result.reference), None)
    of = f"ratio to {reference}" if reference else "ratio"
    header = ("run", "class", "view", "W1", "chance", of, "JS", "chance", of)
    caption = (
        f"Wasserstein-1 and Jensen-Shannon distance of the probability of being signal between view {results[0].view}"
        " and another view, same hard scatters. Chance: two independent samples of the nominal view of that size"
        " (disjoint halves, divided by √2); a view with other random numbers only is the other measure of chance."
        " Distances are never negative, so their errors do not make them agree with 0. Ratios are paired."
    )
    return TableBlock("Distance of scores between views", header, rows, caption)


def _causes(results: Sequence[Result]) -> TableBlock:
    by_key = {(r.metric, r.jet_class, r.other_view or r.view): r for r in results if r.method == "jets"}
    metrics = {"mean_mass": "mass [GeV]", "mean_n_constituents": "constituents", "displaced_fraction": "displaced"}
    rows = []
    for metric, jet_class, view in by_key:
        if metric != "mean_mass":
            continue
        row = [jet_class or "", view]
        for name in metrics:
            digits = 3 if name == "displaced_fraction" else 2
            shift = by_key.get((f"{name}_shift", jet_class, view))
            row += [_cell(by_key[name, jet_class, view], digits=digits), _cell(shift, "+", digits)]
        rows.append(tuple(row))
    header = ("class", "view", *(cell for title in metrics.values() for cell in (title, "Δ")))
    caption = (
        "Means over the test jets; displaced: share of jets with a charged particle of |d0| > 0.1 mm. Δ: minus"
        " that of the first view, paired. What moves here may be what moves the score."
    )
    return TableBlock("The jets themselves", header, rows, caption)


def _cell(result: Result | None, sign: str = "", digits: int = 3) -> str:
    if result is None or result.value is None:
        return ""
    return f"{result.value:{sign}.{digits}f} ± {result.error:.{digits}f}"
