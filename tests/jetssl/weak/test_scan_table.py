from jetssl.weak.scan_table import NAMES, scan_table
from tests.helpers.records import scan_of


def test_a_row_for_each_input_and_number_of_events():
    table = scan_table(scan_of())
    assert table.title == "Search for wz in qcd without labels"
    assert [row[:2] for row in table.rows] == [
        (name, injected) for name in list(NAMES.values())[:2] for injected in ("0", "50")
    ]
    assert table.rows[1][3:6] == ("2.00 ± 1.41", "5.50 ± 0.71", "0.10 ± 0.14")
    assert table.rows[0][6] != ""
    assert table.rows[1][6] == ""
    assert "signal region 1200-1400 GeV" in table.caption
