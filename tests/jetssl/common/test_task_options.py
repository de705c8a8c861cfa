import click
import pytest
from click.testing import CliRunner

from jetssl.common.task_options import label_count, of_a_task, tidy
from resim.common.errors import InputError


def test_options_come_tidy():
    found = {}

    @click.command()
    @of_a_task
    def command(**options):
        found.update(tidy(options))

    arguments = ["--classes", "a+b,c", "--labels", "20", "--labels", "20", "--labels", "all", "--signal", "x"]
    assert CliRunner().invoke(command, arguments, catch_exceptions=False).exit_code == 0
    assert (found["classes"], found["labels"], found["signal"]) == (("a+b", "c"), [20, None], ("x",))
    assert (found["seed"], found["view"], found["unweighted"]) == (1, "", False)


@pytest.mark.parametrize("text", ["3", "many", "-4", "1.5"])
def test_too_few_labels(text):
    with pytest.raises(InputError, match=f"--labels {text}: want a number of at least 4"):
        label_count(text)
