"""Section `projector`, and the predictor of P-JEPA: networks that are not used after pre-training."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from jetssl.config.encoders import Size, heads_divide_width
from resim.common.cards import CardModel
from resim.common.limits import EXPANSION, LAYERS, WIDTH


class ProjectorCard(CardModel):
    """The perceptron between jet vector and loss, not used after pre-training."""

    hidden: tuple[Size, ...] = Field((64,), max_length=LAYERS)
    """hidden sizes; a single number means one layer"""
    output: int = Field(32, ge=2, le=WIDTH)
    activation: Literal["gelu", "relu", "elu"] = "gelu"
    batch_norm: bool = False
    """before every activation"""

    @field_validator("hidden", mode="before")
    @classmethod
    def _one_layer(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int) else value


class PredictorCard(CardModel):
    """The transformer between what a context encoder sees and what is hidden; narrower and shallower than that."""

    width: int = Field(192, ge=1, le=WIDTH)
    """a multiple of `heads`"""
    layers: int = Field(4, ge=1, le=LAYERS)
    heads: int = Field(6, ge=1, le=WIDTH)
    expansion: int = Field(4, ge=1, le=EXPANSION)
    """hidden size of the feed-forward part, in units of `width`"""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "PredictorCard":
        return heads_divide_width(self)
