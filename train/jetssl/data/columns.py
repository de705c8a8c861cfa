"""What several feature sets are made of.

Letters: B jets, N constituents, F features.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.data.batching import PaddedJets
from jetssl.data.pairs import Booleans, Floats

TYPE_NAMES = ("is_charged_hadron", "is_neutral_hadron", "is_photon", "is_electron", "is_muon")


def types(jets: PaddedJets) -> tuple[Booleans, ...]:
    """One-hot type in the order of `TYPE_NAMES`, each bool `(B, N)`; padding is a neutral hadron.

    Whatever is charged and no electron or muon counts as a charged hadron, whatever is neutral and no photon as a
    neutral one: so generator particles and particle-flow candidates mean the same.
    """
    pdg_id, charged = np.abs(jets.pdg_id), jets.charge != 0
    electron, muon, photon = pdg_id == 11, pdg_id == 13, pdg_id == 22
    lepton = electron | muon
    return charged & ~lepton, ~charged & ~photon & ~lepton, photon, electron, muon


def masked_stack(columns: Sequence[npt.NDArray[Any]], mask: Booleans) -> Floats:
    """F columns `(B, N)` → float32 `(B, N, F)`, 0 outside the mask."""
    features = np.stack(columns, axis=-1, dtype=np.float32, casting="unsafe")
    features[~mask] = 0
    return features
