"""The section of the page about domains and weak labels: what `jetssl wsl` wrote into a folder."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jetssl.evaluation.results import Result, read_results
from jetssl.report.figures import FigureFile
from jetssl.report.section import PageSection, embedded
from jetssl.weak.answers import question_of
from jetssl.weak.records import CARD_FILE, RESULTS_FILE
from jetssl.weak.tables import weak_tables
from resim.plots.style import VIEW_COLOURS, hep_style, literal, save


def is_weak(folder: Path) -> bool:
    """Whether `jetssl wsl` wrote the folder, and has finished."""
    return (folder / CARD_FILE).is_file() and (folder / RESULTS_FILE).is_file()


def weak_section(folder: Path, scratch: Path) -> PageSection:
    """Answers, tables and figures of a study.

    Raises:
        InputError: its records are unreadable or of another schema.
    """
    scratch.mkdir(parents=True)
    results = read_results(folder / RESULTS_FILE)
    first = results[0]
    return PageSection(
        title=folder.resolve().name,
        kind="weak supervision",
        facts=[("command", first.command), ("seed", str(first.seed))],
        tables=weak_tables(results),
        pictures=[embedded(figure) for figure in weak_figures(results, scratch)],
        card=(folder / CARD_FILE).read_text(encoding="utf-8"),
    )


def weak_figures(results: Sequence[Result], folder: Path) -> list[FigureFile]:
    """Gain by number of labels, and accuracy by symmetric noise, where these were asked."""
    sizes = [r for r in results if r.metric == "auc_difference" and question_of(r) == "sample_size"]
    noisy = [r for r in results if r.metric == "balanced_accuracy" and (r.noise or "").startswith("symmetric")]
    figures = []
    if sizes:
        path = _curves(
            sizes, [float(r.n_labels) for r in sizes], ("labels", "AUC minus supervised"), folder / "sizes.png"
        )
        caption = "Gain of a pre-training over the same network without, by the number of labels; no domain shift."
        figures.append(FigureFile(path, caption))
    if noisy:
        rates = [float((r.noise or "").split()[-1]) for r in noisy]
        path = _curves(noisy, rates, ("share of wrong labels", "balanced accuracy"), folder / "noise.png")
        caption = "Balanced accuracy with true labels of what learned from labels of which a known share is wrong."
        figures.append(FigureFile(path, caption))
    return figures


def _curves(results: Sequence[Result], places: Sequence[float], names: tuple[str, str], output: Path) -> Path:
    """A line with error bars for each run."""
    with hep_style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes: Axes = figure.subplots()
        for index, run in enumerate(dict.fromkeys(r.run for r in results)):
            own = sorted((place, r.value, r.error) for place, r in zip(places, results, strict=True) if r.run == run)
            place, value, error = zip(*own, strict=True)
            colour = VIEW_COLOURS[index % len(VIEW_COLOURS)]
            axes.errorbar(place, value, error, fmt="o-", ms=4, capsize=2, color=colour, label=literal(run or ""))
        if names[0] == "labels":
            axes.set_xscale("log")
            axes.axhline(0, color="0.5", ls=":")
        axes.set(xlabel=names[0], ylabel=names[1])
        axes.legend()
        return save(figure, output)
