"""Figures that a test saves."""

import pytest
from matplotlib.figure import Figure


@pytest.fixture
def saved(monkeypatch) -> list[Figure]:
    """The figures that have been saved."""
    figures, save = [], Figure.savefig

    def record(figure, *arguments, **options):
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", record)
    return figures
