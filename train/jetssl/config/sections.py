"""What sections of the evaluation card share; their keys are options of commands."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator, field_validator

from resim.common.cards import CardModel


def label_count(value: Any) -> int | Literal["all"]:
    """A number of labels as cards and the command line give it.

    Raises:
        ValueError: it is none.

    >>> label_count("100"), label_count("all")
    (100, 'all')
    """
    if value == "all":
        return "all"
    value = int(value) if isinstance(value, str) and value.isdecimal() else value
    if type(value) is not int or value < 4:
        raise ValueError("want a number of at least 4, as many of each class, or `all`")
    return value


Labels = Annotated[int | Literal["all"], PlainValidator(label_count)]


class Section(CardModel):
    """What one command is asked."""

    model_config = ConfigDict(use_attribute_docstrings=True)  # the help of the option of that name

    @field_validator("*")
    @classmethod
    def _each_once(cls, value: Any) -> Any:
        return tuple(dict.fromkeys(value)) if isinstance(value, tuple) else value

    @property
    def words(self) -> list[str]:
        """The options that ask for this; those without a value are left out."""
        words: list[str] = []
        for name, value in self:
            option = f"--{name.replace('_', '-')}"
            if isinstance(value, bool):
                words += [option] * value
            elif isinstance(value, tuple):
                words += [word for one in value for word in (option, str(one))]
            elif value != "":
                words += [option, str(value)]
        return words


class TaskSection(Section):
    """What is classified, with how many labels, and how it is counted."""

    data: tuple[Path, ...] = ()
    """Pair file; default: those of the training."""
    signal: tuple[str, ...] = ()
    """Signal class; default: all that do not start with 'qcd'."""
    background: tuple[str, ...] = ()
    """Background class; default: all that start with 'qcd'."""
    classes: str = ""
    """Instead, two or more, e.g. tau1p+tau3p,qcd_q,qcd_g."""
    view: str = ""
    """View whose jets are classified; default: the root view."""
    labels: tuple[Labels, ...] = Field((100, "all"), min_length=1)
    """Labelled jets, or `all`; several as 100,1000,all."""
    unweighted: bool = False
    """Count each jet once where weights of events differ."""
    seed: int = Field(1, ge=0)
    """Of draws and errors."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """`classes` one by one."""
        return tuple(self.classes.split(",")) if self.classes else ()

    @property
    def label_counts(self) -> tuple[int | None, ...]:
        """`labels` with None for all."""
        return tuple(None if count == "all" else count for count in self.labels)
