import re

import pytest
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.evaluation.results import write_results
from jetssl.report.page import write_report
from tests.helpers.records import probe_records
from tests.helpers.toys import CLASSES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(finished_run, mock_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    runner = CliRunner()
    probed = runner.invoke(jetssl, ["probe", str(finished_run.path), *CLASSES, "--labels", "20", "--labels", "all"])
    assert probed.exit_code == 0, probed.exception
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
    folder = tmp_path / "fits"
    write_results(
        folder / "results.json",
        [*probe_records(0.8, method="finetune_full"), *probe_records(0.7, 2, method="finetune_lora")],
    )
    (folder / "finetune.json").write_text("{}")
    write_report([folder], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "fits:finetune_lora" in text
    assert text.count("<img") == 2
