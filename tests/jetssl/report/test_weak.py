import pytest

from jetssl.evaluation.results import Result, write_records
from jetssl.report.page import write_report
from jetssl.report.weak import is_weak, weak_figures


def result(run, metric, value, **changes):
    plain = {
        "task": "hbb_vs_qcd", "encoder": "transformer", "baseline": None, "method": "wsl_plain", "view": "nominal",
        "train_view": "nominal", "n_labels": 4000, "all_labels": True, "n_draws": 3, "n_test": 100,
        "n_hard_scatters": 90, "seed": 1, "command": "jetssl wsl", "run": run, "metric": metric, "value": value,
        "error": 0.01,
    }  # fmt: skip
    return Result(**plain | changes)


@pytest.fixture
def results():
    """Two of the questions, with two numbers of labels and two rates of noise."""
    found = [
        result("vicreg", metric, value, method="finetune_full", n_labels=n)
        for n, gain in ((50, 0.03), (4000, 0.0))
        for metric, value in (("auc", 0.9 + gain), ("auc_difference", gain))
    ]
    found += [result("clean", metric, 0.9) for metric in ("auc", "balanced_accuracy")]
    for rate in (0.1, 0.2):
        for metric in ("auc", "balanced_accuracy"):
            found.append(result("plain", metric, 0.9 - rate, noise=f"symmetric {rate}"))
    return found


@pytest.fixture
def folder(tmp_path, results):
    folder = tmp_path / "study"
    write_records(folder / "results.json", results)
    (folder / "wsl.yaml").write_text("seed: 1\n")
    return folder


@pytest.mark.slow
def test_the_page_answers_in_words_and_numbers(folder, tmp_path):
    write_report([folder], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text().replace("\xa0", " ")
    assert "none from 4000 labels on" in page.replace("all ", "")
    assert "Label noise, symmetric 0.2: balanced accuracy 0.700 ± 0.010 without remedy" in page
    assert page.count('<img src="data:image/png') == 2
    assert "0.930 ± 0.010" in page


def test_a_figure_only_for_what_was_asked(results, tmp_path):
    noisy = [r for r in results if r.noise]
    (figure,) = weak_figures(noisy, tmp_path)
    assert figure.path.stat().st_size > 1000


def test_a_study_that_is_not_finished_is_none(folder):
    assert is_weak(folder)
    (folder / "results.json").unlink()
    assert not is_weak(folder)
