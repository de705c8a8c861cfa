"""Section `data`: what is read and how it is presented."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from resim.cards import CardModel


class Fractions(CardModel):
    """How hard scatters are divided; the three sum to 1."""

    train: float = Field(0.6, gt=0, lt=1)
    validation: float = Field(0.2, gt=0, lt=1)
    test: float = Field(0.2, gt=0, lt=1)

    @model_validator(mode="after")
    def _sums_to_one(self) -> "Fractions":
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train + validation + test is {total:g}, want 1")
        return self


class AugmentationsCard(CardModel):
    """Changes of every jet, drawn anew for each view and epoch; see `jetssl.data.augmentations`."""

    rotate: bool = True
    """about the jet axis by a random angle"""
    mirror: bool = True
    """half of the jets"""
    crop: float = Field(0.0, ge=0, lt=1)
    """probability of a constituent to be left out"""
    split_up_to: int = Field(0, ge=0)
    """collinear splittings until a jet has this many constituents or all are split; 0: none"""
    smear: float = Field(0.0, ge=0)
    """GeV, Lambda of the soft smearing by Lambda / pT"""
    translate: float = Field(0.0, ge=0)
    """largest shift in units of the extent of the jet"""


class DataCard(CardModel):
    """What is read and how it is presented."""

    files: tuple[str, ...] = Field(min_length=1)
    """pair files; looked for from the working directory, then from every folder above the card"""
    views: Literal["any"] | tuple[str, ...] = "any"
    """views that pairs are drawn from: `any` for all common ones, or two names at least (`augment`: one)"""
    source: Literal["resim", "augment", "both"] = "both"
    """what tells the two views of a row apart: `resim`, two stored views as they are; `augment`, augmentations of one
    stored view; `both`, augmentations of two stored views"""
    augmentations: AugmentationsCard = AugmentationsCard()
    """not used with source `resim`"""
    features: Literal["relative", "kin", "kinpid", "full", "rs3l"] = "relative"
    """input features of a constituent, see `jetssl.data.features`"""
    fractions: Fractions = Fractions()
    batch_size: int = Field(256, ge=2)
    """rows in a batch, shared by all processes; NT-Xent contrasts each jet with the other 2 * batch_size - 2"""

    @field_validator("views")
    @classmethod
    def _no_view_twice(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if value != "any" and len(set(value)) != len(value):
            raise ValueError("a view is named twice")
        return value

    @model_validator(mode="after")
    def _enough_views(self) -> "DataCard":
        least = 1 if self.source == "augment" else 2
        if self.views != "any" and len(self.views) < least:
            raise ValueError(
                f"views {list(self.views)}: source {self.source} wants `any` or at least {least} different view names"
            )
        return self
