import pytest

from resim.common.errors import InputError
from resim.common.external import first_error, run_logged


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            '\x1b[1;31mCommand "launch" interrupted in sub-command:\n"import model heft" with error:\n'
            "InvalidCmd : No model heft\x1b[0m\nPlease report\n",
            "InvalidCmd : No model heft",
        ),
        (
            "Error in <TFile::TFile>: file out.root does not exist\n *** Break *** segmentation violation\n==========\n",
            "Error in <TFile::TFile>: file out.root does not exist",
        ),
        (" *** Break *** segmentation violation\n #1 0x0 in main\n=====\n", "*** Break *** segmentation violation"),
        ("0 errors so far\nthe last words\n=====\n\n", "the last words"),
        ("\n", "it printed nothing"),
    ],
)
def test_the_first_line_that_names_an_error_is_the_cause(said, cause):
    assert first_error(said) == cause


def test_a_program_that_fails_is_quoted(tmp_path):
    with pytest.raises(InputError, match="`sh -c` ended with exit status 3: Error: no PDF CT14lo"):
        run_logged(["sh", "-c", "echo Error: no PDF CT14lo; echo =====; exit 3"], tmp_path / "log")
