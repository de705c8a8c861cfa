"""PET 2, the network of OmniLearned (arXiv:2510.24066), by the classes of its package `omnilearned`.

The body sees constituents and a few learned tokens; then its classifier lets the tokens look at the constituents once
more, puts them side by side, and ends with a perceptron. The encoder is all of that up to the tokens side by side.

Features are those of `jetssl.data.published.omnilearned`. Its layers take a constituent whose log pT is 0 for
padding: one of exactly 1 GeV is moved from there. With interactions, gradients of weights are finite, those of
features are not: of a constituent with itself they differentiate a square root at 0.

Letters: B jets, N constituents, F features, b jets of a bucket, n its longest jet, K neighbours, T tokens, W size of
a token, D = T W, C classes.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import torch
from torch import nn
from torch.nn import functional

from jetssl.common.precision import no_autocast
from jetssl.config.encoders import OmniLearnedCard
from jetssl.data.published import OMNILEARNED
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.encoder import Encoded, Encoder
from jetssl.models.parallel import Results, over_buckets
from resim.common.errors import InputError

KINEMATICS: Final = OMNILEARNED.index("type_number")
"""Features before the type: those that interactions and neighbours are made of."""
DISPLACEMENTS: Final = len(OMNILEARNED) - KINEMATICS - 1
LOG_PT: Final = OMNILEARNED.index("log_pt")
COORDINATES: Final = 2
"""Neighbours are near in delta eta and delta phi, as all trainings on jets of the package have it."""
NOT_PADDING: Final = 1e-30
"""Stands for a log pT of 0."""


class OmniLearned(Encoder):
    """PET 2 without the perceptron of its classifier.

    A constituent's own vector has W numbers; as a token it is repeated T times, since tokens here are as wide as
    the jet vector.

    Args:
        n_features: F, those of the features `omnilearned`.
        card: sizes.

    Raises:
        InputError: the package `omnilearned` is not installed.
    """

    def __init__(self, n_features: int, card: OmniLearnedCard) -> None:
        super().__init__()
        if n_features != len(OMNILEARNED):
            raise ValueError(f"{n_features} features, want {len(OMNILEARNED)}")
        self.width, self.neighbours, self.n_tokens = card.tokens * card.width, card.neighbours, card.tokens
        self.n_types, self.reads_displacements = card.types, card.displacements
        network = _package().PET2(
            KINEMATICS,
            use_int=card.interactions,
            local_int=card.local_interactions,
            pid=card.types > 0,
            pid_dim=card.types,
            add_info=card.displacements,
            add_dim=DISPLACEMENTS,
            base_dim=card.width,
            num_transformers=card.layers,
            num_transformers_head=card.class_layers,
            num_tokens=card.tokens,
            num_heads=card.heads,
            mlp_ratio=card.expansion,
            K=card.neighbours,
            num_coord=COORDINATES,
        )
        self.body, self.blocks = network.body, network.classifier.in_blocks
        self.body.local_physics.register_forward_hook(_nothing_of_no_neighbour)
        for module in self.body.modules():
            if isinstance(module, nn.MultiheadAttention):
                module.register_forward_pre_hook(_in_precision_of_the_query, with_kwargs=True)

    def depths(self) -> Mapping[str, int]:
        """As those of other encoders; the stack are the layers of the body, then those of the classifier."""
        layers = [*self.body.in_blocks, *self.blocks]
        of_weights = {id(weights): len(self.blocks) + 1 for weights in self.body.norm.parameters()}
        for below, layer in enumerate(layers):
            of_weights |= {id(weights): len(layers) - below for weights in layer.parameters()}
        return {name: of_weights.get(id(weights), len(layers) + 1) for name, weights in self.named_parameters()}

    def encode(self, features: torch.Tensor, momenta: torch.Tensor, ragged: Ragged) -> Encoded:  # noqa: ARG002
        """`(B, N, F)`, `(B, N, 4)` (not used) → tokens `(B, N, D)`, jet `(B, D)`."""
        tokens, jets = over_buckets(self._encode, self, ragged, ragged.flatten(features))
        return Encoded(ragged.pad(tokens), ragged.restore(jets))

    def _encode(self, rows: torch.Tensor, bucket: Bucket) -> Results:
        """Of a bucket: features `(rows, F)` → tokens `(rows, D)`, jets `(b, D)`.

        Not in bfloat16: distances to neighbours are small differences of large sums.
        """
        longest = bucket.valid.shape[1]
        padded, valid = bucket.pad(rows), bucket.valid
        if longest <= self.neighbours:  # it looks for K neighbours, in padding if there is nothing else
            more = self.neighbours + 1 - longest
            padded, valid = functional.pad(padded, (0, 0, 0, more)), functional.pad(valid, (0, more))
        with no_autocast(rows.device):
            vectors = self._vectors(padded.masked_fill(~valid[..., None], 0), valid)
        first, last = self.n_tokens, self.n_tokens + longest
        return bucket.flatten(vectors[:, first:last].repeat(1, 1, self.n_tokens)), vectors[:, :first].flatten(1)

    def _vectors(self, features: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Features `(b, n, F)`, 0 outside `valid` → learned tokens, then constituents, `(b, T + n, W)`."""
        kinematics, numbers = features[..., :KINEMATICS], features[..., KINEMATICS]
        at_zero = valid & (features[..., LOG_PT] == 0)
        is_log_pt = torch.arange(KINEMATICS, device=features.device) == LOG_PT
        vectors: torch.Tensor = self.body(
            kinematics.masked_fill(at_zero[..., None] & is_log_pt, NOT_PADDING),
            pid=numbers.long().clamp(0, self.n_types - 1) if self.n_types else None,  # examples have any numbers
            add_info=features[..., KINEMATICS + 1 :] if self.reads_displacements else None,
        )
        for block in self.blocks:
            vectors = block(vectors, mask=valid[..., None])
        return vectors


def _nothing_of_no_neighbour(
    module: nn.Module,  # noqa: ARG001
    args: tuple[torch.Tensor, ...],
    output: tuple[torch.Tensor, torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Zeros, as they are: it divides by 1e-9 more than the number of neighbours, which an ONNX graph takes for 0."""
    mask, (local, places) = args[2], output
    return local.masked_fill(~(mask & (mask.sum(1, keepdim=True) > 1)), 0), places


def _in_precision_of_the_query(
    module: nn.Module,  # noqa: ARG001
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Masks of the package are in single precision; beside doubles torch 2.13 reads them as doubles on a CPU."""
    mask: torch.Tensor | None = kwargs["attn_mask"]
    return args, kwargs if mask is None else kwargs | {"attn_mask": mask.to(kwargs["query"].dtype)}


def perceptron(card: OmniLearnedCard, n_classes: int) -> nn.Sequential:
    """What its classifier has behind the tokens: `(B, D)` → `(B, C)`.

    Raises:
        InputError: the package `omnilearned` is not installed.
    """
    classifier = _package().PET_classifier(
        card.width,
        num_transformers=0,
        mlp_ratio=card.expansion,
        mlp_drop=0.0,
        num_tokens=card.tokens,
        num_classes=n_classes,
    )
    return nn.Sequential(classifier.fc, classifier.out)


def _package() -> ModuleType:
    """Its module of networks."""
    try:
        import omnilearned.network
    except ImportError as error:
        raise InputError(
            f"encoder omnilearned needs {error.name or 'omnilearned'}; install the extra `omnilearned`"
        ) from error
    network: ModuleType = omnilearned.network
    return network
