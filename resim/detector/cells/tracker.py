"""The tracks beside the cells: which are found, how well they are measured, and where they cross the layers."""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from resim.card.calorimeter_card import Tracker
from resim.common.arrays import Floats, Integers
from resim.common.errors import InputError
from resim.detector.cells.arrivals import Arrivals
from resim.detector.cells.media import Stack
from resim.detector.formula import Formula
from resim.detector.objects import Objects
from resim.detector.random import Stream
from resim.detector.tracking import lognormal

_VARIABLES: Final = ("pt", "eta")
_FOUND, _MOMENTUM, _D0, _DZ = range(4)
"""Draws of random numbers of a track."""


@dataclass(frozen=True, slots=True)
class TrackFinder:
    """Finds tracks and measures them.

    Attributes:
        efficiency, momentum, d0, dz: formulas of the card.
    """

    efficiency: Formula
    momentum: Formula
    d0: Formula
    dz: Formula

    @classmethod
    def of(cls, tracker: Tracker) -> Self:
        """The tracker of a card.

        Raises:
            InputError: a formula is wrong.
        """
        texts = (
            tracker.efficiency,
            tracker.momentum_resolution,
            tracker.d0_resolution,
            tracker.dz_resolution,
        )
        return cls(*(Formula.parse(text, _VARIABLES) for text in texts))

    def find(self, charged: Objects, stream: Stream) -> tuple[Objects, Integers]:
        """The tracks of charged particles; directions are exact.

        Args:
            charged: propagated particles.
            stream: random numbers.

        Returns:
            The tracks as measured, and which particles they are of, int64 `(n_tracks,)`.
        """
        uniform, _ = stream.uniform(charged.event, charged.item, _FOUND)
        kept = np.flatnonzero(uniform < _values(self.efficiency, charged))
        tracks = charged.select(kept)
        shift = {draw: stream.normal(tracks.event, tracks.item, draw) for draw in (_MOMENTUM, _D0, _DZ)}
        resolution = np.minimum(_values(self.momentum, tracks), 1.0)
        pt = lognormal(tracks.pt, resolution * tracks.pt, shift[_MOMENTUM])
        d0_err, dz_err = _values(self.d0, tracks), _values(self.dz, tracks)
        measured = replace(
            tracks.with_pt(pt),
            resolution=resolution,
            d0=tracks.d0 + d0_err * shift[_D0],
            dz=tracks.dz + dz_err * shift[_DZ],
            d0_err=d0_err,
            dz_err=dz_err,
        )
        return measured, kept


def _values(formula: Formula, tracks: Objects) -> Floats:
    """Value of a formula for every track, float64 `(n,)`.

    Raises:
        InputError: it is not finite, or negative.
    """
    values = formula({"pt": tracks.pt, "eta": tracks.eta}, len(tracks))
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        i = int(wrong[0])
        raise InputError(
            f"tracker: {formula.text} is {values[i]:g} for pt = {tracks.pt[i]:g}, eta = {tracks.eta[i]:g};"
            " want a finite number, not negative; correct the formula in the card"
        )
    return values


def crossings(arrivals: Arrivals, stack: Stack) -> tuple[Floats, Floats]:
    """Where straight lines from the surface of the calorimeter cross the middle of its layers.

    Args:
        arrivals: the particles.
        stack: the slabs.

    Returns:
        Pseudorapidity and azimuth, float64 `(n_particles, n_layers)`.
    """
    middle = ((stack.edges[:-1] + stack.edges[1:]) / 2)[stack.layer >= 0]
    path = middle / arrivals.cosine[:, None]
    point = arrivals.position[:, None, :] + path[:, :, None] * arrivals.direction[:, None, :]
    eta = np.arcsinh(point[:, :, 2] / np.hypot(point[:, :, 0], point[:, :, 1]))
    return eta, np.arctan2(point[:, :, 1], point[:, :, 0])
