"""The predictor of P-JEPA: from what is seen of a jet to what an encoder would make of the hidden constituents.

Letters: R jets, N constituents seen, M guessed, T real ones of both, D width of the encoder, P of the predictor.
"""

import torch
from torch import nn

from jetssl.config.encoders import PredictorCard, TransformerCard
from jetssl.data.features import ANGLE_SCALE, LOG_PT_FRACTION_CENTRE, LOG_PT_FRACTION_SCALE
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.attention import padding_bias
from jetssl.models.parallel import over_buckets
from jetssl.models.transformer import TransformerBlock


class Predictor(nn.Module):
    """A transformer over seen tokens and mask tokens; each knows the kinematics of its constituent.

    Args:
        width: D.
        card: sizes.
    """

    def __init__(self, width: int, card: PredictorCard) -> None:
        super().__init__()
        self.seen = nn.Linear(width, card.width)
        self.mask_token = nn.Parameter(torch.zeros(card.width))
        self.kinematics = nn.Sequential(nn.Linear(3, card.width), nn.GELU(), nn.Linear(card.width, card.width))
        sizes = TransformerCard(width=card.width, layers=card.layers, heads=card.heads, expansion=card.expansion)
        self.blocks = nn.ModuleList(TransformerBlock(sizes) for _ in range(card.layers))
        self.norm = nn.LayerNorm(card.width)
        self.out = nn.Linear(card.width, width)

    def forward(self, tokens: torch.Tensor, momenta: torch.Tensor, layout: Ragged) -> torch.Tensor:
        """Guess the tokens of hidden constituents.

        Args:
            tokens: of the encoder, for what is seen, `(R, N, D)`.
            momenta: of seen and guessed constituents side by side, `(R, N + M, 4)`, (E, px, py, pz) in GeV.
            layout: how these lie.

        Returns:
            `(R, M, D)`, anything where nothing is guessed.
        """
        n_guessed = momenta.shape[1] - tokens.shape[1]
        mask_tokens = self.mask_token.to(tokens.dtype).expand(len(tokens), n_guessed, -1)
        rows = layout.flatten(torch.cat([self.seen(tokens), mask_tokens], dim=1))
        rows = rows + self.kinematics(_kinematics(layout.flatten(momenta), layout).to(rows.dtype))
        (rows,) = over_buckets(self._guess, self, layout, rows)
        return layout.pad(rows)[:, tokens.shape[1] :]

    def _guess(self, rows: torch.Tensor, bucket: Bucket) -> tuple[torch.Tensor]:
        """Of a bucket: `(rows, P)` → `(rows, D)`."""
        bias = padding_bias(bucket)
        for block in self.blocks:
            rows = block(rows, bucket, bias)
        return (self.out(self.norm(rows)),)


def _kinematics(momenta: torch.Tensor, layout: Ragged) -> torch.Tensor:
    """Log of the share in the scalar sum of pT, eta, phi, scaled as input features are: `(T, 4)` → `(T, 3)`."""
    _, px, py, pz = momenta.unbind(1)
    pt = torch.hypot(px, py).clamp_min(torch.finfo(momenta.dtype).tiny)
    shares = pt / layout.sum(pt[:, None])[layout.order[layout.jet], 0]
    log_share = (shares.log() - LOG_PT_FRACTION_CENTRE) / LOG_PT_FRACTION_SCALE
    return torch.stack([log_share, torch.asinh(pz / pt) / ANGLE_SCALE, torch.atan2(py, px) / ANGLE_SCALE], dim=1)
