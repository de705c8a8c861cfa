"""Options that the commands which classify jets share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from resim.common.errors import InputError

PATH = click.Path(path_type=Path)


def of_a_task(command: Callable[..., None]) -> Callable[..., None]:
    """Options that say what is classified, and how it is counted."""
    for option in reversed(
        (
            click.option("--data", type=PATH, multiple=True, help="Pair file; default: those of the training."),
            click.option("--signal", multiple=True, help="Signal class; default: all that do not start with 'qcd'."),
            click.option("--background", multiple=True, help="Background class; default: all that start with 'qcd'."),
            click.option("--classes", default="", help="Instead, two or more, e.g. tau1p+tau3p,qcd_q,qcd_g."),
            click.option("--view", default="", help="View whose jets are classified; default: the root view."),
            click.option("--labels", multiple=True, default=("100", "all"), show_default=True, help="Labelled jets."),
            click.option("--unweighted", is_flag=True, help="Count each jet once where weights of events differ."),
            click.option(
                "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of draws and errors."
            ),
            click.option("--json", "as_json", is_flag=True, help="Print the records instead of a table."),
            click.option("--quiet", is_flag=True, help="No progress."),
        )
    ):
        command = option(command)
    return command


def tidy(options: dict[str, Any]) -> dict[str, Any]:
    """Every name once, classes as a tuple, numbers of labels as such."""
    options = {key: tuple(dict.fromkeys(value)) if type(value) is tuple else value for key, value in options.items()}
    options["classes"] = tuple(options["classes"].split(",")) if options["classes"] else ()
    return options | {"labels": [label_count(text) for text in options["labels"]]}


def label_count(text: str) -> int | None:
    """Number of labels, None for `all`.

    Raises:
        InputError: it is neither.

    >>> label_count("100"), label_count("all")
    (100, None)
    """
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 4:
        raise InputError(f"--labels {text}: want a number of at least 4, as many of each class, or `all`")
    return int(text)
