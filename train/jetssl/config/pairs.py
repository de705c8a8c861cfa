"""Pair files that a study makes: hard scatters, pile-up, and the views of a generation card."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from resim.common.cards import CardModel

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class ProcessFile(CardModel):
    """An LHE file to make."""

    card: Path
    """process card"""
    n_events: int = Field(ge=1)


class PileUpCard(CardModel):
    """Pile-up in a view: minimum-bias events to make, and the view that they are mixed into."""

    view: Name
    detector: Path
    """Delphes card of that view, with a PileUpMerger"""
    mu: float = Field(gt=0, le=1000)
    """mean number of collisions in an event"""
    n_events: int = Field(ge=1)
    """of the pool that they are drawn from"""


class PairsCard(CardModel):
    """How a pair file is made."""

    generate: Path
    """generation card"""
    n_events: int | None = Field(None, ge=1)
    """hard scatters that are read from each LHE file; null: all"""
    hard_scatter: dict[Name, ProcessFile] = Field(default_factory=dict)
    """LHE files to make; each stands for the source of the generation card whose file has its name"""
    pileup: PileUpCard | None = None
    seed: int = Field(1, ge=0)
    scheduler: str | None = None
    """address of a Dask scheduler whose workers make the views; null: processes of this machine, one a core"""

    def with_files(self, found: Callable[[Path], Path]) -> Self:
        """The same with the place of every file that it names.

        Args:
            found: gives the place of a file.
        """
        made = {name: file.model_copy(update={"card": found(file.card)}) for name, file in self.hard_scatter.items()}
        pileup = self.pileup and self.pileup.model_copy(update={"detector": found(self.pileup.detector)})
        return self.model_copy(update={"generate": found(self.generate), "hard_scatter": made, "pileup": pileup})
