import gzip

import pytest

from resim.common.errors import InputError
from resim.hard_scatter.lhe_header import read_header
from tests.helpers.chain import FAULTS, HARD_SCATTERS


def test_the_header_says_what_particles_are():
    header = read_header(FAULTS / "phi.lhe")
    assert header.new_particles == {9000006}
    assert "DECAY" in header.slha
    assert read_header(HARD_SCATTERS / "hbb_j.lhe.gz").slha == ""


def test_files_without_a_header_and_files_that_are_none(tmp_path):
    (tmp_path / "bare.lhe.gz").write_bytes(gzip.compress(b'<LesHouchesEvents version="3.0">\n<init>\n'))
    assert read_header(tmp_path / "bare.lhe.gz").slha == ""
    with pytest.raises(InputError, match="cannot be read"):
        read_header(tmp_path / "none.lhe")
