"""Tracks lost in dense surroundings (Delphes' DenseTrackFilter)."""

from dataclasses import dataclass, replace

import numpy as np

from resim.detector.card import CardModule
from resim.detector.objects import Objects, concatenate
from resim.detector.random import Stream
from resim.detector.segmentation import Segmentation


@dataclass(frozen=True, slots=True)
class DenseTrackFilter:
    """Keeps in every cell the track with the highest pT, and smears its direction.

    As in Delphes (`modules/DenseTrackFilter.cc`) the tracks that come out are those from which its input was made:
    a second ParticlePropagator finds the cells on a layer of the tracker, tracks stay where the first one left them.

    Attributes:
        module: the module of the card.
        inputs: name of the array of tracks, then those of the tracks from which these were made; none of these if
            they were made from generated particles, which a ParticlePropagator behind this module starts from anyway.
        outputs: names of the arrays of tracks, and of hadrons, electrons and muons among them.
        segmentation: the cells.
        resolution: standard deviation of eta and of phi (rad).
    """

    module: CardModule
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    segmentation: Segmentation
    resolution: float

    @classmethod
    def from_card(cls, module: CardModule) -> "DenseTrackFilter":
        """Read the module's parameters."""
        defaults = {"Track": "tracks", "ChargedHadron": "chargedHadrons", "Electron": "electrons", "Muon": "muons"}
        resolution = module.number("EtaPhiRes", 0.003)
        if resolution < 0:
            module.fail(f"{resolution:g} is negative", "EtaPhiRes")
        return cls(
            module=module.without_values(),
            inputs=(module.text("TrackInputArray", "TrackMergerProp/tracks"),),
            outputs=tuple(
                f"{module.name}/{module.text(f'{kind}OutputArray', default)}" for kind, default in defaults.items()
            ),
            segmentation=Segmentation.from_card(module),
            resolution=resolution,
        )

    def among(self, mothers: tuple[str, ...]) -> "DenseTrackFilter":
        """The module with the arrays of the tracks from which its input was made."""
        return replace(self, inputs=(*self.inputs, *mothers))

    def run(self, tracks: Objects, *mothers: Objects, stream: Stream) -> tuple[Objects, ...]:
        """The tracks that are kept, in the order of the input; the hadrons, electrons and muons among them."""
        cell = self.segmentation.locate(tracks.outer_eta, tracks.outer_phi)
        inside = np.flatnonzero(cell >= 0)
        key = tracks.event[inside] * self.segmentation.n_towers + cell[inside]
        order = np.lexsort((inside, -tracks.pt[inside], key))
        _, first = np.unique(key[order], return_index=True)
        best = np.sort(inside[order[first]])
        tracks = tracks.select(best)
        kept = self._smeared(_same(tracks, concatenate(mothers)) if mothers else tracks, stream)
        pdg_id = np.abs(kept.pdg_id)
        electron, muon = pdg_id == 11, pdg_id == 13
        return kept, kept.select(~electron & ~muon), kept.select(electron), kept.select(muon)

    def _smeared(self, tracks: Objects, stream: Stream) -> Objects:
        eta, phi = (
            values + self.resolution * stream.normal(tracks.event, tracks.item, draw)
            for draw, values in enumerate((tracks.eta, tracks.phi))
        )
        turned = replace(tracks, slope=np.sinh(eta), ux=np.cos(phi), uy=np.sin(phi))
        return turned.with_pt(tracks.pt)


def _same(tracks: Objects, among: Objects) -> Objects:
    """Those objects that are of the same particles as the tracks, in their order."""
    step = 1 + max(int(objects.item.max(initial=0)) for objects in (tracks, among))
    key, wanted = (objects.event * step + objects.item for objects in (among, tracks))
    order = np.argsort(key, kind="stable")
    return among.select(order[np.searchsorted(key, wanted, sorter=order)])
