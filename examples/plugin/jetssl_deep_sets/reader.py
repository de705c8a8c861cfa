"""A reader of text: a line for each constituent, whose first number counts jets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from resim.formats.containers import Ragged, Reader, Values
from resim.formats.mapping_card import ContainerSection


class LinesSection(ContainerSection):
    """Text, a line for each constituent; the first number says which jet it is of."""

    kind: Literal["lines"] = "lines"
    columns: tuple[str, ...] = ("px", "py", "pz", "E")
    """names of the numbers after the first"""


class Lines(Reader):
    """Called with the path and the section `container` of a mapping card."""

    section = LinesSection

    def read(self, path: Path, card: LinesSection) -> Mapping[str, Values]:
        """A ragged array for each column; whatever is raised here becomes one line that names the file."""
        jet, *columns = np.loadtxt(path, ndmin=2).T
        if len(columns) != len(card.columns) or (np.diff(jet) < 0).any():
            raise ValueError(f"want {len(card.columns)} numbers behind that of the jet, jets in their order")
        counts = np.unique(jet, return_counts=True)[1]
        return {name: Ragged(counts, values) for name, values in zip(card.columns, columns, strict=True)}
