"""What a study says, in words and numbers."""

from collections.abc import Sequence

from jetssl.evaluation.results import Result

SIGNIFICANT = 2.0
"""Standard deviations from which a difference is called one."""


def answers(results: Sequence[Result]) -> list[str]:
    """One sentence, or a few, for each question that was asked."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(question_of(result), []).append(result)
    tell = {
        "shift": _shift,
        "adaptation": _adaptation,
        "sample_size": _sample_size,
        "teaching": _teaching,
        "noise": _noise,
        "mixtures": _mixtures,
    }
    return [sentence for name, say in tell.items() if name in groups for sentence in say(groups[name])]


def question_of(result: Result) -> str:
    """Which question a record answers."""
    if result.method == "domain_shift":
        return "shift"
    if result.method in ("wsl_cwola", "wsl_label_proportions", "wsl_labels"):
        return "mixtures"
    if result.noise is not None or result.run == "clean":
        return "noise"
    if result.method.startswith("wsl_"):
        return "teaching"
    return "adaptation" if result.train_view != result.view else "sample_size"


def _shift(results: Sequence[Result]) -> list[str]:
    found = ", ".join(f"{r.metric.replace('_', ' ')} {number(r)} ({r.null:.3g} without one)" for r in results)
    return [f"Size of the shift between {results[0].view} and {results[0].other_view}: {found}."]


def _adaptation(results: Sequence[Result]) -> list[str]:
    auc = {r.run: r for r in results if r.metric == "auc"}
    gains = {r.run: r for r in results if r.metric == "auc_difference"}
    shares = {r.run: r for r in results if r.metric == "gap_closed"}
    gap = gains["oracle"]
    lines = [
        f"Domain adaptation, {_labels(gap)} labels: learned in the simulation and tested on data, AUC"
        f" {number(auc['simulation_only'])}; with labels of data {number(auc['oracle'])}, a gap of {number(gap)}"
        f" ({_verdict(gap)})."
    ]
    for name, share in shares.items():
        gain = gains[name]
        lines.append(
            f"Pre-trained by {name}: AUC {number(auc[name])}, {number(gain, '+')} against simulation only"
            f" ({_verdict(gain)}); share of the gap closed {number(share)}."
        )
    return lines


def _sample_size(results: Sequence[Result]) -> list[str]:
    gains = [r for r in results if r.metric == "auc_difference"]
    lines = []
    for name in dict.fromkeys(r.run for r in gains):
        own = sorted((r for r in gains if r.run == name), key=lambda r: r.n_labels)
        values = ", ".join(f"{number(r, '+')} at {_labels(r)}" for r in own)
        lines.append(f"Sample size, no shift: AUC of {name} minus supervised is {values}: {_where_it_helps(own)}.")
    return lines


def _where_it_helps(gains: Sequence[Result]) -> str:
    """At which numbers of labels a gain is significant, from which on it is not, and where it is a loss.

    Args:
        gains: by ascending number of labels.
    """
    helpful, harmful = ([gain for gain in gains if sign * _sigmas(gain) >= SIGNIFICANT] for sign in (1, -1))
    without = [gain for gain in gains if not helpful or gain.n_labels > helpful[-1].n_labels]
    parts = [f"a significant help at {', '.join(map(_labels, helpful))}" if helpful else "no help at any number"]
    if helpful and without:
        parts.append(f"none from {_labels(without[0])} labels on")
    if harmful:
        parts.append(f"a loss at {', '.join(map(_labels, harmful))}")
    return "; ".join(parts)


def _teaching(results: Sequence[Result]) -> list[str]:
    auc = {r.run: r for r in results if r.metric == "auc"}
    gains = [r for r in results if r.metric == "auc_difference" and r.run != "oracle"]
    values = ", ".join(f"{r.run} {number(r, '+')}" for r in gains)
    best = max(gains, key=_value)
    return [
        f"Students on data: the teacher, from the simulation, has AUC {number(auc['teacher'])}, the oracle"
        f" {number(auc['oracle'])}; students minus teacher: {values}; best {best.run} ({_verdict(best)})."
    ]


def _noise(results: Sequence[Result]) -> list[str]:
    return [
        _at_noise(noise, metric, results)
        for metric in ("balanced_accuracy", "auc")
        for noise in dict.fromkeys(r.noise for r in results if r.noise)
    ]


def _at_noise(noise: str | None, metric: str, results: Sequence[Result]) -> str:
    clean = next(r for r in results if r.run == "clean" and r.metric == metric)
    own = {r.run: r for r in results if r.noise == noise and r.metric == metric}
    gains = {r.run: r for r in results if r.noise == noise and r.metric == f"{metric}_difference"}
    best = max(own, key=lambda name: _value(own[name]))
    gain = "no method is better" if best == "plain" else f"{number(gains[best], '+')}, {_verdict(gains[best])}"
    words = metric.replace("_", " ").replace("auc", "AUC")
    return (
        f"Label noise, {noise}: {words} {number(own['plain'])} without remedy, {number(clean)} with clean labels;"
        f" best of {len(own)} is {best} with {number(own[best])} ({gain})."
    )


def _mixtures(results: Sequence[Result]) -> list[str]:
    lines = []
    for noise in dict.fromkeys(r.noise for r in results):
        own = [r for r in results if r.noise == noise and r.metric == "auc"]
        lines.append(f"Mixed samples, {noise}: AUC " + ", ".join(f"{r.run} {number(r)}" for r in own) + ".")
    return lines


def number(result: Result, sign: str = "") -> str:
    """Value and error to three digits after the point."""
    return "undefined" if result.value is None else f"{result.value:{sign}.3f} ± {result.error:.3f}"


def _labels(result: Result) -> str:
    return f"all {result.n_labels}" if result.all_labels else str(result.n_labels)


def _value(result: Result) -> float:
    return result.value if result.value is not None else float("-inf")


def _sigmas(result: Result) -> float:
    return _value(result) / result.error if result.error else 0.0


def _verdict(result: Result) -> str:
    sigmas = _sigmas(result)
    if abs(sigmas) < SIGNIFICANT:
        return f"no significant difference, {sigmas:+.1f} standard deviations"
    return f"{'a gain' if sigmas > 0 else 'a loss'} of {abs(sigmas):.1f} standard deviations"
