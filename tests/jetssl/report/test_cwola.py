import pytest

from jetssl.report import cwola
from jetssl.report.cwola import is_scan, scan_figure, scan_section
from tests.helpers.pictures import empty_panels
from tests.helpers.records import scan_of


@pytest.mark.slow
def test_section(tmp_path):
    (tmp_path / "out").mkdir()
    assert not is_scan(tmp_path / "out")
    (tmp_path / "out/scan.json").write_text(scan_of().model_dump_json())
    assert is_scan(tmp_path / "out")
    section = scan_section(tmp_path / "out", tmp_path / "scratch")
    assert (section.title, section.kind) == ("out", "search without labels")
    assert (len(section.tables), len(section.pictures)) == (1, 1)


@pytest.mark.slow
def test_both_panels_show_something(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(cwola, "save", lambda figure, output: (figures.append(figure), output)[1])
    scan_figure(scan_of(), tmp_path / "a.png")
    assert empty_panels(figures) == []
    lines = figures[0].axes[1].get_lines()
    assert len(lines) == 3  # two inputs, and the diagonal
