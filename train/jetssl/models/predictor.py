"""The predictor: from what is seen of a jet to tokens of the hidden constituents.

Letters: R jets, N constituents seen, M guessed, T real ones of both, D width of the encoder, P of the predictor, K
numbers that tell a constituent from others.
"""

import torch
from torch import nn

from jetssl.config.encoders import TransformerCard
from jetssl.config.projectors import PredictorCard
from jetssl.data.features import ANGLE_SCALE, LOG_PT_FRACTION_CENTRE, LOG_PT_FRACTION_SCALE
from jetssl.data.ragged import Bucket, Ragged
from jetssl.models.attention import padding_bias
from jetssl.models.parallel import over_buckets
from jetssl.models.transformer import TransformerBlock


class Predictor(nn.Module):
    """A transformer over seen tokens and mask tokens; each knows which constituent it stands for.

    Args:
        width: D.
        card: sizes.
        n_marks: K.
    """

    def __init__(self, width: int, card: PredictorCard, n_marks: int) -> None:
        super().__init__()
        self.seen = nn.Linear(width, card.width)
        self.mask_token = nn.Parameter(torch.zeros(card.width))
        self.mark = nn.Sequential(nn.Linear(n_marks, card.width), nn.GELU(), nn.Linear(card.width, card.width))
        sizes = TransformerCard(width=card.width, layers=card.layers, heads=card.heads, expansion=card.expansion)
        self.blocks = nn.ModuleList(TransformerBlock(sizes) for _ in range(card.layers))
        self.norm = nn.LayerNorm(card.width)
        self.out = nn.Linear(card.width, width)

    def forward(self, tokens: torch.Tensor, marks: torch.Tensor, layout: Ragged) -> torch.Tensor:
        """Guess the tokens of hidden constituents.

        Args:
            tokens: of the encoder, for what is seen, `(R, N, D)`.
            marks: what is known of seen and guessed constituents, `(T, K)`, as `layout` has them.
            layout: how seen and guessed constituents lie side by side, `(R, N + M)`.

        Returns:
            `(R, M, D)`, anything where nothing is guessed.
        """
        n_guessed = layout.shape[1] - tokens.shape[1]
        mask_tokens = self.mask_token.to(tokens.dtype).expand(len(tokens), n_guessed, -1)
        rows = layout.flatten(torch.cat([self.seen(tokens), mask_tokens], dim=1))
        rows = rows + self.mark(marks.to(rows.dtype))
        (rows,) = over_buckets(self._guess, self, layout, rows)
        return layout.pad(rows)[:, tokens.shape[1] :]

    def _guess(self, rows: torch.Tensor, bucket: Bucket) -> tuple[torch.Tensor]:
        """Of a bucket: `(rows, P)` → `(rows, D)`."""
        bias = padding_bias(bucket)
        for block in self.blocks:
            rows = block(rows, bucket, bias)
        return (self.out(self.norm(rows)),)


def kinematics(momenta: torch.Tensor, layout: Ragged) -> torch.Tensor:
    """Marks that say where a constituent is, and how hard: `(T, 3)`.

    Log of the share in the scalar sum of pT, eta, phi, scaled as input features are.

    Args:
        momenta: `(R, N + M, 4)`, (E, px, py, pz) in GeV.
        layout: how they lie.
    """
    _, px, py, pz = layout.flatten(momenta).unbind(1)
    pt = torch.hypot(px, py).clamp_min(torch.finfo(momenta.dtype).tiny)
    shares = pt / layout.sum(pt[:, None])[layout.order[layout.jet], 0]
    log_share = (shares.log() - LOG_PT_FRACTION_CENTRE) / LOG_PT_FRACTION_SCALE
    return torch.stack([log_share, torch.asinh(pz / pt) / ANGLE_SCALE, torch.atan2(py, px) / ANGLE_SCALE], dim=1)


def ranks(n_seen: int, layout: Ragged) -> torch.Tensor:
    """Marks that say no more than the place of a constituent in descending pT: `(T, 1)`.

    Log of (1 + rank), where the constituents of a jet stand in descending pT.

    Args:
        n_seen: N, and M: the same constituents, side by side.
        layout: how they lie.
    """
    rank = layout.source % layout.shape[1] % n_seen
    return torch.log1p(rank.float())[:, None]
