"""Records of `jetssl geometry` as tables, shared by the terminal and the report."""

from collections.abc import Sequence

from jetssl.evaluation.results import Result
from jetssl.evaluation.similarity import OF_A_PAIR
from jetssl.evaluation.table import TableBlock

TITLES = {
    "cosine_positive": "cos, other view",
    "cosine_negative": "cos, other row",
    "cosine_negative_in_bin": "cos, other row in bin",
    "pair_auc": "AUC",
    "pair_auc_in_bin": "AUC in bin",
    "alignment": "alignment",
}


def similarity_tables(results: Sequence[Result], shares: Sequence[str]) -> list[TableBlock]:
    """Similarities by pair of views, and figures of single views.

    Args:
        results: records of one run.
        shares: what each pair of views shares, in the order of the records.
    """
    pairs: dict[tuple[str, str], dict[str, Result]] = {}
    views: dict[str, dict[str, Result]] = {}
    for result in results:
        if result.other_view:
            pairs.setdefault((result.view, result.other_view), {})[result.metric] = result
        else:
            views.setdefault(result.view, {})[result.metric] = result
    first = results[0]
    layer = "" if first.layer == "encoder" else f" on {first.layer}"
    rows = [
        (f"{names[0]}, {names[1]}", share.replace("_", " "), *(_cell(found[metric]) for metric in OF_A_PAIR))
        for (names, found), share in zip(pairs.items(), shares, strict=True)
    ]
    caption = (
        f"{first.n_test} test rows ({first.n_hard_scatters} hard scatters) with a jet in every view. AUC: how often"
        " the other view of a row is closer than another row; in bin: other rows of the same class, pT (10 %) and |η|"
        " (0.2), so that neither tells them apart. Alignment: mean squared distance of the two directions (0: equal)."
        " ± from test hard scatters. Weights of events do not count."
    )
    header = ("views", "same simulation up to", *(TITLES[metric] for metric in OF_A_PAIR))
    single = [(view, _cell(found["uniformity"]), _cell(found["effective_rank"])) for view, found in views.items()]
    note = "Uniformity: log of the mean of exp(-2 d²) over rows, lower is more uniform (arXiv:2005.10242)."
    return [
        TableBlock(f"Similarity of two views of a row{layer}", header, rows, caption),
        TableBlock(f"Spread of the rows of a view{layer}", ("view", "uniformity", "effective rank"), single, note),
    ]


def _cell(result: Result) -> str:
    return "none" if result.value is None else f"{result.value:.3f} ± {result.error:.3f}"
