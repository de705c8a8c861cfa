"""Sections `encoder`, one model for each backbone."""

from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import ConfigDict, Field, PositiveFloat, field_validator, model_validator

from resim.common.cards import CardModel
from resim.common.limits import CONSTITUENTS, EXPANSION, LAYERS, WIDTH


class _WithHeads(Protocol):
    @property
    def width(self) -> int: ...
    @property
    def heads(self) -> int: ...


Size = Annotated[int, Field(ge=1, le=WIDTH)]
CardT = TypeVar("CardT", bound=_WithHeads)


def heads_divide_width(card: CardT) -> CardT:
    """The card, whose heads share its width; a `ValueError` where they cannot."""
    if card.width % card.heads:
        raise ValueError(f"width {card.width} is not a multiple of heads {card.heads}")
    return card


LorentzT = TypeVar("LorentzT", bound="LorentzSection")


def _heads_divide_channels(card: LorentzT, *names: str) -> LorentzT:
    for name in names:
        if getattr(card, name) % card.heads:
            raise ValueError(f"{name} {getattr(card, name)} is not a multiple of heads {card.heads}")
    return card


class EncoderSection(CardModel):
    """Base of the section of every encoder, whose `name` is that of the encoder; each key has a default."""

    model_config = ConfigDict(use_attribute_docstrings=True)  # what `jetssl encoders` says of an option


class TransformerCard(EncoderSection):
    """Transformer with a mean or pT-weighted sum; JetCLR (arXiv:2108.04253) has 1000, 4, 4, 1 and dropout 0.1."""

    name: Literal["transformer"] = "transformer"
    width: int = Field(64, ge=1, le=WIDTH)
    """D, size of a token and of the jet vector; a multiple of `heads`"""
    layers: int = Field(3, ge=1, le=LAYERS)
    heads: int = Field(4, ge=1, le=WIDTH)
    expansion: int = Field(2, ge=1, le=EXPANSION)
    """hidden size of the feed-forward part, in units of `width`"""
    dropout: float = Field(0.0, ge=0, lt=1)
    """of attention weights, activations and branches"""
    continuous_mask: bool = False
    """constituents count by their pT, so that a soft one changes nothing"""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "TransformerCard":
        return heads_divide_width(self)


class ResimTransformerCard(EncoderSection):
    """Transformer on cells and tracks; sizes of the talk on arXiv:2503.11632 (its table 1), but for the heads."""

    name: Literal["resim_transformer"] = "resim_transformer"
    cells: bool = True
    """cells and tracks, each embedded by a perceptron of its own; goes with data.inputs [cells, tracks]. False:
    constituents, by one perceptron"""
    layer_width: int = Field(4, ge=1, le=WIDTH)
    """size of the embedding of the layer of a cell"""
    width: int = Field(128, ge=1, le=WIDTH)
    """D, size of a token, of the hidden layers and of the jet vector; a multiple of `heads`"""
    layers: int = Field(2, ge=1, le=LAYERS)
    heads: int = Field(8, ge=1, le=WIDTH)
    expansion: int = Field(1, ge=1, le=EXPANSION)
    """hidden size of the feed-forward part, in units of `width`"""
    dropout: float = Field(0.0, ge=0, lt=1)
    """of attention weights, activations and branches"""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ResimTransformerCard":
        return heads_divide_width(self)


class ParticleTransformerSection(EncoderSection):
    """Base of the Particle Transformers; defaults as published (arXiv:2202.03772, sec. 5)."""

    width: int = Field(128, ge=1, le=WIDTH)
    """D; a multiple of `heads`"""
    layers: int = Field(8, ge=1, le=LAYERS)
    class_layers: int = Field(2, ge=1, le=LAYERS)
    heads: int = Field(8, ge=1, le=WIDTH)
    expansion: int = Field(4, ge=1, le=EXPANSION)
    """hidden size of the feed-forward part, in units of `width`"""
    dropout: float = Field(0.1, ge=0, lt=1)
    """of attention weights, activations and branches; none in class layers"""
    embedding: tuple[Size, ...] = Field((128, 512), max_length=LAYERS)
    """hidden sizes of the embedding of constituents"""
    pair_embedding: tuple[Size, ...] = Field((64, 64, 64), max_length=LAYERS)
    """hidden sizes of the embedding of pairs"""
    pair_activation: bool = False
    """GELU on the bias that it ends with, too, as networks of jet-universe/particle_transformer have it"""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "ParticleTransformerSection":
        return heads_divide_width(self)


class ParticleTransformerCard(ParticleTransformerSection):
    """Particle Transformer; defaults as published (arXiv:2202.03772, sec. 5)."""

    name: Literal["part"] = "part"


class ParticleNetCard(EncoderSection):
    """ParticleNet; defaults as published (arXiv:1902.08570, fig. 2)."""

    name: Literal["particlenet"] = "particlenet"
    neighbours: int = Field(16, ge=1, le=CONSTITUENTS)
    missing_neighbours: Literal["left_out", "padded"] = "left_out"
    """of constituents in jets of few: not in the mean, or zeros in it, as weaver-core's padding is"""
    channels: tuple[Annotated[tuple[Size, ...], Field(min_length=1, max_length=LAYERS)], ...] = Field(
        ((64, 64, 64), (128, 128, 128), (256, 256, 256)), min_length=1, max_length=LAYERS
    )
    """sizes of the perceptron on edges, for each block; D is the very last"""


class Rs3lGnnCard(EncoderSection):
    """Graph network of RS3L (arXiv:2403.07066); defaults as in its code."""

    name: Literal["rs3l_gnn"] = "rs3l_gnn"
    width: int = Field(128, ge=1, le=WIDTH)
    """D"""
    layers: int = Field(3, ge=1, le=LAYERS)
    neighbours: int = Field(24, ge=1, le=CONSTITUENTS)
    """itself included"""


class InteractionNetworkCard(EncoderSection):
    """Interaction network; defaults as published (arXiv:1909.12285, sec. 4)."""

    name: Literal["interaction_network"] = "interaction_network"
    width: int = Field(24, ge=1, le=WIDTH)
    """D, D_O of the paper"""
    message: int = Field(20, ge=1, le=WIDTH)
    """size of a message, D_E of the paper"""
    hidden: tuple[Size, ...] = Field((60, 30), min_length=1, max_length=LAYERS)
    """hidden sizes of the perceptrons"""
    vertices: bool = False
    """messages from secondary vertices to constituents, too; goes with data.inputs [constituents, vertices]"""


class SpurionSection(EncoderSection):
    """Base of what reads four-momenta, with spurions: reference vectors that break the Lorentz symmetry."""

    time: bool = True
    """spurion of time, (1, 0, 0, 0) where the jet axis is at eta = 0: breaks boosts"""
    unit: PositiveFloat = 20.0
    """GeV, what four-momenta are measured in"""
    jet_energy: PositiveFloat | None = None
    """GeV, every jet is scaled to this sum of energies first, so that no absolute scale is seen; null: as it is"""


class LorentzSection(SpurionSection):
    """Base of the Lorentz-equivariant transformers; spurions are further channels of every particle and the token."""

    width: int = Field(128, ge=1, le=WIDTH)
    """D, size of a token and of the jet vector"""
    layers: int = Field(12, ge=1, le=LAYERS)
    heads: int = Field(8, ge=1, le=WIDTH)
    """divides the numbers of channels"""
    expansion: int = Field(2, ge=1, le=EXPANSION)
    """hidden channels of the feed-forward part, in units of those between the blocks"""
    scalars: int = Field(32, ge=1, le=WIDTH)
    """hidden scalar channels"""
    pool: Literal["token", "mean"] = "token"
    """the jet vector is that of a further, learned token, or the mean over constituents"""


class LGATrCard(LorentzSection):
    """L-GATr (arXiv:2411.00446): attention between multivectors; package `lgatr`, extra `equivariant`."""

    name: Literal["lgatr"] = "lgatr"
    multivectors: int = Field(16, ge=1, le=WIDTH)
    """hidden multivector channels, of 16 numbers each"""
    beam: Literal["plane", "lightlike"] | None = "plane"
    """spurion of the beam: the plane across it, which boosts along it keep, or (1, 0, 0, 1) and (1, 0, 0, -1)"""

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> "LGATrCard":
        return _heads_divide_channels(self, "multivectors", "scalars")


class LGATrSlimCard(LorentzSection):
    """L-GATr-slim: L-GATr with vectors and scalars only; package `lgatr`, extra `equivariant`."""

    name: Literal["lgatr_slim"] = "lgatr_slim"
    vectors: int = Field(32, ge=1, le=WIDTH)
    """hidden vector channels, of 4 numbers each"""
    scalars: int = Field(96, ge=1, le=WIDTH)
    """hidden scalar channels"""
    beam: Literal["lightlike"] | None = "lightlike"
    """spurion of the beam: (1, 0, 0, 1) and (1, 0, 0, -1)"""

    @model_validator(mode="after")
    def _heads_divide_channels(self) -> "LGATrSlimCard":
        return _heads_divide_channels(self, "vectors", "scalars")


class LocalFramesCard(ParticleTransformerSection, SpurionSection):
    """LLoCa-ParT (arXiv:2505.20280, 2508.14898): the Particle Transformer, each constituent in a frame of its own."""

    name: Literal["lloca_part"] = "lloca_part"
    vectors: int = Field(2, ge=0, le=WIDTH)
    """four-vectors among the channels of a head, 4 channels each; the others are scalars"""
    beam: Literal["lightlike"] | None = "lightlike"
    """spurion of the beam: (1, 0, 0, 1) and (1, 0, 0, -1)"""
    frame_hidden: tuple[Size, ...] = Field((128, 128), min_length=1, max_length=LAYERS)
    """hidden sizes of the perceptron that weighs the momenta a frame is made of"""
    unit: PositiveFloat = 1.0
    """GeV, what four-momenta are measured in"""

    @model_validator(mode="after")
    def _vectors_fit(self) -> "LocalFramesCard":
        if 4 * self.vectors > (channels := self.width // self.heads):
            raise ValueError(f"vectors {self.vectors} need {4 * self.vectors} channels; a head has {channels}")
        return self


class OmniLearnedCard(EncoderSection):
    """PET 2 of OmniLearned (arXiv:2510.24066), its small size; package, extra and features `omnilearned`.

    D is `tokens` * `width`: the learned tokens side by side, after they have looked at the constituents.
    """

    name: Literal["omnilearned"] = "omnilearned"
    width: int = Field(128, ge=1, le=WIDTH)
    """size of a token; a multiple of `heads`"""
    layers: int = Field(8, ge=1, le=LAYERS)
    """of the body"""
    class_layers: int = Field(2, ge=1, le=LAYERS)
    """in which tokens look at constituents, and as many in which a constituent looks at its neighbours"""
    tokens: int = Field(4, ge=1, le=WIDTH)
    heads: int = Field(8, ge=1, le=WIDTH)
    expansion: int = Field(2, ge=1, le=EXPANSION)
    """hidden size of the feed-forward part, in units of `width`"""
    neighbours: int = Field(10, ge=1, le=CONSTITUENTS)
    interactions: bool = True
    """mass, distance and kT of pairs of constituents as a bias of the attention of the body"""
    local_interactions: bool = False
    """the same of a constituent and each neighbour"""
    types: int = Field(9, ge=0, le=WIDTH)
    """numbers of types that it has a vector for, 8 occur; 0: types are not read"""
    displacements: bool = True
    """read impact parameters"""

    @field_validator("types")
    @classmethod
    def _every_type_has_a_vector(cls, types: int) -> int:
        if 0 < types < 8:
            raise ValueError(f"{types} of 8 types have a vector; want 0, or 8 at least")
        return types

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "OmniLearnedCard":
        return heads_divide_width(self)


EncoderCard = (
    TransformerCard
    | ParticleTransformerCard
    | ParticleNetCard
    | Rs3lGnnCard
    | InteractionNetworkCard
    | ResimTransformerCard
    | LGATrCard
    | LGATrSlimCard
    | LocalFramesCard
    | OmniLearnedCard
)
"""The backbone."""


Architecture = Literal["particlenet", "part"]
"""Encoders that weaver-core has, too (`jetssl.models.weaver`)."""
