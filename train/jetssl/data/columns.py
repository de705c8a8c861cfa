"""Columns that several feature sets share.

Letters: T constituents of all jets, F features.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from jetssl.data.jets import Jets
from resim.common.arrays import Booleans, Floats32

TYPE_NAMES = ("is_charged_hadron", "is_neutral_hadron", "is_photon", "is_electron", "is_muon")
TYPE_COLUMNS = ("charge", "pdg_id")
"""Optional columns that the types are made of."""


def types(jets: Jets) -> tuple[Booleans, ...]:
    """One-hot type in the order of `TYPE_NAMES`, each bool `(T,)`.

    A charged hadron is everything charged that is no electron or muon, a neutral hadron everything neutral that is no
    photon; so the types of generator particles and of particle-flow candidates agree.
    """
    pdg_id, charged = np.abs(jets.other["pdg_id"]), jets.other["charge"] != 0
    electron, muon, photon = pdg_id == 11, pdg_id == 13, pdg_id == 22
    lepton = electron | muon
    return charged & ~lepton, ~(charged | photon | lepton), photon, electron, muon


def stacked(columns: Sequence[npt.NDArray[Any]]) -> Floats32:
    """F columns `(T,)` → float32 `(T, F)`."""
    return np.stack(columns, axis=-1, dtype=np.float32, casting="unsafe")
