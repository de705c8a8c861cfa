"""Sections `data` (what is read, in which order) and `views` (how the two views of a row differ)."""

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, PositiveFloat, field_validator, model_validator

from resim.common.cards import CardModel
from resim.common.limits import BATCH_ROWS, BINS, CONSTITUENTS, ROWS, THREADS

FeatureSet = Literal[
    "relative", "relative_ip", "scalars", "scalars_ip", "kin", "kinpid", "full", "rs3l", "omnilearned"
]
"""Names of `jetssl.data.features`."""
TYPED: Final = frozenset({"relative", "relative_ip", "scalars", "scalars_ip", "kinpid", "full", "rs3l"})
"""Those with the type of every particle, one column each."""
CONSTITUENTS_ALONE: Final = ("constituents",)
"""The inputs of most networks."""


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
    azimuth: bool = False
    """all of an event by the same random angle in phi: for events, whose axis is the beam, in place of `rotate`"""
    crop: float = Field(0.0, ge=0, lt=1)
    """probability of a constituent to be left out"""
    split_up_to: int = Field(0, ge=0, le=CONSTITUENTS)
    """collinear splittings until a jet has this many constituents or all are split; 0: none"""
    smear: float = Field(0.0, ge=0)
    """GeV, Lambda of the soft smearing by Lambda / pT"""
    translate: float = Field(0.0, ge=0)
    """largest shift in units of the extent of the jet"""

    @model_validator(mode="after")
    def _turned_about_one_axis(self) -> "AugmentationsCard":
        if self.azimuth and self.rotate:
            raise ValueError(
                "azimuth and rotate are both true: events turn about the beam, jets about their axis; set rotate"
                " or azimuth to false"
            )
        return self


class LiveCard(CardModel):
    """What makes every jet of live views anew in every epoch; see `jetssl.data.live`."""

    detector: Path | None = None
    """Delphes card without pile-up; None: generated particles are shown as they are, with `rehadronize` alone"""
    rehadronize: bool = False
    """whether the parton shower of the stored view is hadronized anew, too, which takes 100 times as long and the LHE
    files where they lay; see `jetssl.data.live_hadrons`"""
    processes: int = Field(1, ge=1, le=THREADS)
    """that make them, beside the one that trains"""

    @model_validator(mode="after")
    def _something_is_anew(self) -> "LiveCard":
        if self.detector is None and not self.rehadronize:
            raise ValueError("neither detector nor rehadronize is given, so jets would not change; give one of them")
        return self


ANY: Final = "any"
"""Stands for every common view of the files, in a pair for every other one."""


class ViewsCard(CardModel):
    """What tells the two views of a row apart."""

    source: Literal["resim", "augment", "both", "live"] = "both"
    """`resim`: two stored views as they are; `augment`: augmentations of one stored view; `both`: augmentations of
    two stored views; `live`: augmentations of what a detector measures of two stored views of generated particles,
    or twice of one, or of what is hadronized of them, anew in every epoch"""
    live: LiveCard | None = None
    """what is made anew, with source `live` alone"""
    pairs: tuple[tuple[str, str], ...] = Field(((ANY, ANY),), min_length=1)
    """names of stored views, or of families of them, `any` for every one, as in [[nominal, any]]; each valid choice
    of a row is as likely as the others, where a family counts as one view, drawn anew in every epoch. Where one
    stored view is enough (source `augment`, objective `supervised`): any of those named"""
    pairing: Literal["row", "emd"] = "row"
    """`row`: both jets are of one hard scatter; `emd`: the second one is the nearest jet, by energy mover's distance,
    of another hard scatter in the second view, as in MACK (arXiv:2410.13947), for comparison. Asks for one pair of
    views, rows in memory (`data.buffer`), and about 1 ms for each candidate of each row before the first epoch"""
    candidates: int = Field(16, ge=1, le=ROWS)
    """jets that the distance is computed to: those with the lowest bound from below"""
    augmentations: AugmentationsCard = AugmentationsCard()
    """not used with source `resim`"""

    @model_validator(mode="after")
    def _one_pair_for_partners(self) -> "ViewsCard":
        one = len(self.pairs) == 1 and ANY not in self.pairs[0] and self.pairs[0][0] != self.pairs[0][1]
        if self.pairing == "emd" and (self.source not in {"resim", "both"} or not one):
            raise ValueError(
                f"pairing emd with source {self.source} and pairs {[list(pair) for pair in self.pairs]}: want one"
                " pair of two named views, as [[nominal, vincia]], and source resim or both"
            )
        return self

    @model_validator(mode="after")
    def _a_detector_for_live_views(self) -> "ViewsCard":
        if (self.source == "live") != (self.live is not None):
            raise ValueError(
                f"source {self.source}, live {'is not' if self.live is None else 'is'} given: source live takes a"
                " detector, as in live: {detector: cards/delphes/cms_tracking.tcl}, the others take none"
            )
        return self

    @property
    def names(self) -> Literal["any"] | tuple[str, ...]:
        """All views that are named, or `any`."""
        named = tuple(dict.fromkeys(name for pair in self.pairs for name in pair))
        return ANY if ANY in named else named


class BalanceCard(CardModel):
    """Training rows that an epoch leaves out, drawn anew each time, so that classes agree; no row is repeated."""

    classes: dict[str, PositiveFloat] | None = None
    """relative shares of the classes, all of them; null: as they come"""
    pt_bins: int | None = Field(None, ge=1, le=BINS)
    """quantile bins of the parton's pT in which all classes get the same spectrum; null: as it comes"""


class BinsCard(CardModel):
    """Quantile bins of the parton's pT and |eta|; a batch holds rows of one bin, so negatives differ by more."""

    pt: int = Field(1, ge=1, le=BINS)
    abs_eta: int = Field(1, ge=1, le=BINS)


class DataCard(CardModel):
    """What is read, and in which order."""

    files: tuple[str, ...]
    """pair files, one at least; looked for from the working directory, then from every folder above the card. Runs of
    imported weights have none"""
    features: FeatureSet = "relative"
    """input features of a constituent, see `jetssl.data.features`; cells and tracks have their own"""
    inputs: tuple[Literal["constituents", "vertices", "cells", "tracks"], ...] = CONSTITUENTS_ALONE
    """what a jet is made of: constituents, and the secondary vertices of files that have them as further tokens; or
    the cells and tracks of a calorimeter of cells"""
    labelled: bool = True
    """false: the files are data without labels; what they hold of classes is not read (`Rows.without_labels`)"""
    normalize: bool = True
    """features minus their mean, divided by their spread, over the constituents of the training split; kept in the
    checkpoint. Without it, impact parameters (spread 0.1 where others have 1) are learned late or never"""
    weights: str = "auto"
    """of the events: `auto`, XWGTUP where it differs within an LHE file; `none`; or the name or id of a weight that
    the files keep (`weights: all` in the generation card). Losses, class balance, probes and fine-tunings count rows
    by its absolute value, judgements with its sign"""
    fractions: Fractions = Fractions()
    batch_size: int = Field(256, ge=2, le=BATCH_ROWS)
    """rows in a batch, shared by all processes; NT-Xent contrasts each jet with the other 2 * batch_size - 2"""
    bins: BinsCard = BinsCard()
    balance: BalanceCard = BalanceCard()
    buffer: int = Field(200_000, ge=2, le=ROWS)
    """rows, of all processes together, whose jets are in memory; files with more are streamed: random pieces of all
    of them make up half a buffer, which is shuffled while the other half is read"""
    shards: int = Field(1, ge=1, le=BATCH_ROWS)
    """groups of rows, each read by one process only; of every batch they give equal shares. 1: every process
    reads everything"""
    validation_rows: int = Field(20_000, ge=2, le=ROWS)
    """at most so many rows are looked at after an epoch, and stay in memory"""

    @field_validator("inputs")
    @classmethod
    def _known_together(cls, inputs: tuple[str, ...]) -> tuple[str, ...]:
        if inputs not in {CONSTITUENTS_ALONE, ("constituents", "vertices"), ("cells", "tracks")}:
            raise ValueError(
                f"inputs {list(inputs)}: want [constituents], [constituents, vertices], or [cells, tracks]"
            )
        return inputs

    @property
    def feature_set(self) -> str:
        """Key of `jetssl.data.features.FEATURE_SETS`."""
        if "cells" in self.inputs:
            return "cells+tracks"
        return f"{self.features}+vertices" if "vertices" in self.inputs else self.features

    @model_validator(mode="after")
    def _no_balance_without_labels(self) -> "DataCard":
        if not self.labelled and self.balance.classes is not None:
            raise ValueError("balance.classes needs labels, labelled is false; leave one of them out")
        return self

    @model_validator(mode="after")
    def _shards_share(self) -> "DataCard":
        if self.batch_size % self.shards:
            raise ValueError(f"batch_size {self.batch_size} is not a multiple of shards {self.shards}")
        return self
