import re
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.evaluation.results import write_results
from jetssl.report import figures
from jetssl.report import page as pages
from jetssl.report.page import write_report
from jetssl.report.section import Picture
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from resim.plots import observables
from tests.helpers.records import probe_records
from tests.helpers.toys import CLASSES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(finished_run, mock_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    runner = CliRunner()
    probed = runner.invoke(jetssl, ["probe", str(finished_run.path), *CLASSES, "--labels", "20", "--labels", "all"])
    assert probed.exit_code == 0, probed.exception
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observables, "OBSERVABLES", observables.OBSERVABLES[:1])  # all are drawn in tests/resim/plots
        result = runner.invoke(jetssl, ["report", str(finished_run.path), str(mock_file), "-o", str(path)])
    assert result.exit_code == 0, result.exception
    return path


def test_self_contained(page):
    text = page.read_text()
    assert text.count('src="data:image/png;base64,') == text.count("<img") >= 6
    assert not re.search(r'(src|href)="(https?:)?//|url\(|@import|<script|<link rel="stylesheet"', text)


def test_says_what_ran(page, finished_run):
    text = page.read_text()
    for words in (
        "Linear probe",
        "Split by hard scatter",
        "Hard scatters in and out",
        "pre-trained",
        "random encoder",
        "jet features",
        "seed",
        "versions",
        finished_run.load_provenance().files[0].digest[:12],
    ):
        assert words in text


@pytest.fixture
def damaged(page, finished_run, tmp_path, monkeypatch):
    """A copy of a probed run, of which a page is made without drawing."""
    monkeypatch.setattr(figures, "save", lambda figure, path: path)
    monkeypatch.setattr(pages, "embedded", lambda figure: Picture("", figure.caption, wide=False))
    shutil.copytree(finished_run.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


@pytest.mark.slow
def test_whatever_bit_of_a_run_is_flipped_there_is_a_page_or_one_line(damaged, tmp_path):
    rng, messages = np.random.default_rng(1), []
    files = [damaged.card, damaged.provenance, damaged.metrics, damaged.results, damaged.replicas, damaged.roc]
    for file in files:
        content = file.read_bytes()
        for place in rng.integers(8 * len(content), size=10):
            flipped = bytearray(content)
            flipped[place // 8] ^= 1 << place % 8
            file.write_bytes(flipped)
            try:
                write_report([damaged.path], tmp_path / "page.html")
            except InputError as error:
                messages.append(str(error))
        file.write_bytes(content)
    assert len(messages) > 20
    assert all(str(damaged.path) in message for message in messages)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("metrics.csv", "\n1,", "\nx,", r"metrics\.csv: unreadable \(could not convert string to float: 'x'\)"),
        ("metrics.csv", "epoch,", "epoch,more,", r"metrics\.csv: unreadable \(column 'more' is unknown"),
        ("results.json", '"auc"', '"auk"', r"run: its records are damaged or not complete \(KeyError: .*auc"),
        ("results.json", '"n_test": ', '"n_test": "x', r"results\.json: unreadable \(.*\); evaluate again"),
    ],
)
def test_a_damaged_run_is_one_line(damaged, tmp_path, name, old, new, message):  # noqa: PLR0917
    text = (damaged.path / name).read_text()
    assert old in text
    (damaged.path / name).write_text(text.replace(old, new))
    with pytest.raises(InputError, match=message):
        write_report([damaged.path], tmp_path / "page.html")


@pytest.mark.browser
def test_in_a_browser(page, browser):
    browser.get(page.as_uri())
    images = browser.execute_script("return [...document.images].map(i => i.complete ? i.naturalWidth : 0)")
    assert len(images) >= 6
    assert min(images) > 0
    assert len(browser.find_elements("css selector", "table.numbers tbody tr")) >= 6
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in fetched if not name.startswith("data:")] == []
    overflow = browser.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0


def test_a_fine_tuning_is_a_comparison_of_its_modes(tmp_path):
    folder = tmp_path / r"$\frac{$"  # names out of files and folders are no formulas
    write_results(
        folder / "results.json",
        [*probe_records(0.8, method="finetune_full"), *probe_records(0.7, 2, method="finetune_lora")],
    )
    (folder / "finetune.json").write_text("{}")
    write_report([folder], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert r"$\frac{$:finetune_lora" in text
    assert text.count("<img") == 2


def test_another_classifier_and_layer_are_named(damaged, tmp_path):
    for file in (damaged.results, damaged.roc):
        text = (
            file.read_text().replace('"linear_probe"', '"knn"').replace('"layer":"encoder"', '"layer":"projector.1"')
        )
        file.write_text(text.replace('"layer": "encoder"', '"layer": "projector.1"'))
    write_report([damaged.path], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "Nearest neighbours on projector.1: two_prong vs one_prong" in text
    assert "nearest neighbours with 20 labels" in text
    assert "logistic regression" not in text


def test_one_fit_has_no_page(damaged, tmp_path):
    (damaged.path / "head.json").write_text("{}")
    with pytest.raises(InputError, match=r"run: one fit of a fine-tuning; report all of them, the folder"):
        write_report([damaged.path], tmp_path / "page.html")
