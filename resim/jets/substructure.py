"""Groomed mass and N-subjettiness of a batch of jets."""

from typing import Final

import numpy as np
import numpy.typing as npt

from resim.card.jet_settings import JetSettings
from resim.common.arrays import Floats
from resim.jets.declustering import softdrop_mass, subjettiness

MAX_AXES: Final = 4


def substructure(
    offsets: npt.NDArray[np.int64], momenta: dict[str, Floats], settings: JetSettings
) -> dict[str, Floats]:
    """Soft-drop mass and N-subjettiness of jets.

    Args:
        offsets: int64 `(n_jets + 1,)`, constituents of every jet; no jet is empty.
        momenta: `px, py, pz, energy` of the constituents, float64 `(n_constituents,)` each, GeV.
        settings: jet radius, used by both; parameters of soft drop (arXiv:1402.2657) and N-subjettiness.

    Returns:
        `softdrop_mass` in GeV and `tau1` … `tau4`, float64 `(n_jets,)` each.
    """
    n_jets = len(offsets) - 1
    four = np.stack([momenta[name] for name in ("px", "py", "pz", "energy")])
    mass, tau = np.empty(n_jets), np.empty((n_jets, MAX_AXES))
    for i in range(n_jets):
        jet = np.ascontiguousarray(four[:, offsets[i] : offsets[i + 1]])
        mass[i] = softdrop_mass(jet, settings.softdrop_z_cut, settings.softdrop_beta, settings.radius)
        tau[i] = subjettiness(jet, MAX_AXES, settings.nsubjettiness_beta, settings.radius)
    return {"softdrop_mass": mass} | {f"tau{n + 1}": tau[:, n] for n in range(MAX_AXES)}
