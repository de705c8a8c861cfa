"""Domains: where jets come from, and whether their labels may be learned from."""

from pydantic import Field

from resim.common.cards import CardModel


class DomainCard(CardModel):
    """A selection of jets: one view of some pair files."""

    files: tuple[str, ...] = Field(min_length=1)
    """pair files"""
    view: str
    """whose jets"""
    labelled: bool = True
    """false: nobody learns from the classes that the files hold; only the evaluation reads them"""
    share: tuple[float, float] = (0.0, 1.0)
    """part of the hard scatters that may train and validate; disjoint ones for two views of one file, so that no
    domain learns what the other one has seen of the same hard scatter. Tested are all"""
