"""Groomed mass and N-subjettiness of jets, with FastJet's contrib algorithms on whole batches."""

from typing import Any, Final

import awkward as ak
import numpy as np
import numpy.typing as npt

from resim.clustering import load_fastjet, momentum_array
from resim.config import Jets as JetSettings
from resim.particles import Floats

N_AXES: Final = (1, 2, 3, 4)
_AXES: Final = "WTA_KT_Axes"
"""Exclusive kT with the winner-take-all recombination (arXiv:1401.2158): near the minimum without minimizing."""
_WHOLE_JET_RADIUS: Final = 1000.0
"""Large enough for re-clustering to give one jet."""


def substructure(
    offsets: npt.NDArray[np.int64], momenta: dict[str, Floats], settings: JetSettings
) -> dict[str, Floats]:
    """Soft-drop mass and N-subjettiness of jets.

    Args:
        offsets: `(n_jets + 1,)`, constituents of every jet; no jet is empty.
        momenta: `px, py, pz, energy` of the constituents, GeV.
        settings: jet radius, which normalizes both, and parameters of soft drop (arXiv:1402.2657) and N-subjettiness.

    Returns:
        `softdrop_mass` in GeV and `tau1` … `tau4`, each `(n_jets,)`.
    """
    names = ["softdrop_mass", *(f"tau{n}" for n in N_AXES)]
    if len(offsets) == 1:
        return {name: np.empty(0) for name in names}
    sequence = _recluster(momentum_array(offsets, **momenta))
    softdrop = (settings.softdrop_beta, settings.softdrop_z_cut, "scalar_z", settings.radius)
    groomed = sequence.exclusive_jets_softdrop_grooming(1, *softdrop)
    angles = (settings.nsubjettiness_beta, settings.radius)
    tau = sequence.njettiness("NormalizedMeasure", _AXES, list(N_AXES), *angles)
    mass = np.maximum(ak.to_numpy(groomed.msoftdrop, allow_missing=False), 0.0)
    return dict(zip(names, [mass, *ak.to_numpy(tau, allow_missing=False).T], strict=True))


def _recluster(constituents: ak.Array) -> Any:
    fastjet = load_fastjet()
    definition = fastjet.JetDefinition(fastjet.cambridge_algorithm, _WHOLE_JET_RADIUS)
    return fastjet.ClusterSequence(constituents, definition)
