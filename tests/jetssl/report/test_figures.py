"""Figures of a run."""

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jetssl.config.card import load_card
from jetssl.evaluation.results import Calibration
from jetssl.report.figures import calibration_figure, legend_of, loss_curve
from jetssl.report.page import _split_table
from tests.helpers.records import roc_curve


@pytest.fixture
def run_of(finished_run, card_file, monkeypatch):
    """A finished run that says that it had another objective."""

    def change(objective):
        card = load_card(card_file, [f"objective.name={objective}"])
        monkeypatch.setattr(type(finished_run), "load_card", lambda _: card)
        return finished_run

    return change


@pytest.fixture
def labels(monkeypatch):
    """Heights of horizontal lines and labels of the axis, as they are drawn."""
    found = []
    draw, line = Axes.set, Axes.axhline
    monkeypatch.setattr(Axes, "set", lambda axes, **kw: (found.append(kw.get("ylabel")), draw(axes, **kw))[1])
    monkeypatch.setattr(Axes, "axhline", lambda axes, y, **kw: (found.append(round(y, 3)), line(axes, y, **kw))[1])
    return found


@pytest.mark.parametrize(
    ("objective", "drawn"),
    [
        ("ntxent", [3.434, "NT-Xent loss"]),  # log(2 * 16 - 1)
        ("supcon", [3.434, "Supervised contrastive loss"]),
        ("supervised", [0.693, "Cross-entropy"]),  # log 2
        ("vicreg", ["VICReg loss"]),
    ],
)
def test_the_loss_is_named_and_read_as_the_objective_says(run_of, tmp_path, labels, objective, drawn):
    figure = loss_curve(run_of(objective), tmp_path)
    assert labels == drawn
    assert figure.caption.startswith(f"{drawn[-1]} against the epoch")
    assert ("Dotted" in figure.caption) == (len(drawn) == 2)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("views.source=both", "two valid views"),
        ("views.source=augment", "a valid view"),
        ("objective.name=supervised", "a valid view"),
    ],
)
def test_which_rows_can_train(finished_run, card_file, override, words):
    table = _split_table(finished_run.load_provenance(), load_card(card_file, [override]))
    assert words in table.caption


def test_calibration_with_negative_weights_is_drawn(tmp_path):
    """A bin may have a share of signal outside 0 to 1."""
    calibration = Calibration(predicted=[0.1, 0.9], observed=[-0.03, 1.05], n_jets=[40.0, 20.0])
    curve, look = roc_curve(), ("pre-trained", "red", "-")
    odd, without = (curve.model_copy(update={"calibration": value}) for value in (calibration, None))
    (figure,) = calibration_figure([(odd, look)], "20 labels", tmp_path / "odd.png")
    assert figure.path.stat().st_size > 1000
    assert calibration_figure([(without, look)], "20 labels", tmp_path / "without.png") == []


@pytest.mark.parametrize(("n_curves", "beside"), [(6, False), (7, True)])
def test_many_names_stand_beside_the_curves(n_curves, beside):
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for number in range(n_curves):
        axes.plot([0, 1], [0, number], label=f"run {number}")
    legend_of(axes, "100 labels")
    legend = figure.legends[0] if beside else axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [f"run {number}" for number in range(n_curves)]
    assert bool(figure.legends) == beside
    assert figure.get_figwidth() == (10 if beside else 7)
