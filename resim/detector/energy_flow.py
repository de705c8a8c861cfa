"""Energies measured in the towers of one calorimeter section, and energy flow: tracks against neutral candidates."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats, Integers
from resim.common.tcl.values import text_of
from resim.common.units import PHOTON
from resim.detector.card import CardModule
from resim.detector.formula import Formula
from resim.detector.tracking import KINEMATICS, finite, lognormal

NEUTRAL_HADRON: Final = 0


class Thresholds(NamedTuple):
    """What an energy must exceed: in GeV, and in units of sigma, for all towers or float64 `(n_towers,)`."""

    energy: float
    significance: float | Floats


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a calorimeter: it measures one energy in each tower.

    Attributes:
        pdg_id: PDG id of its neutral candidates.
        ids: int64 `(n,)`, ascending absolute PDG ids for which the card gives an energy fraction.
        fractions: float64 `(n + 1,)`, their fractions; last the fraction of all other particles.
        parameter: name of the card's parameter with the resolution.
        resolution: sigma(E) in GeV, a function of eta and E.
        energy_min: threshold of towers and neutral excesses, GeV.
        significance_min: the same in units of sigma.
        output: name of the array of neutral candidates.
    """

    pdg_id: int
    ids: Integers
    fractions: Floats
    parameter: str
    resolution: Formula
    energy_min: float
    significance_min: float
    output: str

    @property
    def thresholds(self) -> Thresholds:
        """Thresholds of towers and neutral excesses."""
        return Thresholds(self.energy_min, self.significance_min)

    def fraction(self, pdg_id: npt.NDArray[np.int32]) -> Floats:
        """Fraction of the energy that particles leave in the section: int32 `(n,)` PDG ids → float64 `(n,)`."""
        place = np.searchsorted(self.ids, np.abs(pdg_id))
        found = np.append(self.ids, -1)[place] == np.abs(pdg_id)
        return self.fractions[np.where(found, place, len(self.ids))]

    def sigma(self, module: CardModule, eta: Floats, energy: Floats) -> Floats:
        """Resolution sigma in GeV of energies in GeV in towers at eta; all float64 `(n,)`."""
        zeros = np.zeros_like(energy)  # as in Delphes, which passes 0 for pT and phi
        columns = {"pt": zeros, "phi": zeros, "eta": eta, "energy": energy}
        return finite(module, self.parameter, self.resolution(columns, len(energy)), columns)

    def measure(self, module: CardModule, eta: Floats, energy: Floats, normal: Floats) -> tuple[Floats, Floats]:
        """Smear the energies of towers and apply the thresholds.

        Args:
            module: the module of the card, for messages.
            eta: float64 `(n_towers,)`, pseudorapidity of the centres.
            energy: float64 `(n_towers,)`, true energies, GeV.
            normal: float64 `(n_towers,)`, standard normal random numbers.

        Returns:
            Measured energies (0 below a threshold) and sigma(E) of the measured energies (of all towers), GeV.
        """
        energy = lognormal(energy, self.sigma(module, eta, energy), normal)
        sigma = self.sigma(module, eta, energy)
        seen = (energy >= self.energy_min) & (energy >= self.significance_min * sigma)
        return np.where(seen, energy, 0.0), sigma


def resolve(
    thresholds: Thresholds, energy: Floats, sigma: Floats, track_energy: Floats, track_variance: Floats
) -> tuple[Floats, Floats]:
    """Divide the energy of each tower between its tracks and one neutral candidate.

    An excess E - E_tracks above both thresholds becomes a neutral candidate; the tracks keep their momenta. Else the
    tracks are scaled by E_best / E_tracks, where E_best is the mean of E and E_tracks with weights 1/sigma²; E = 0 in
    a tower below threshold.

    Args:
        thresholds: of an excess.
        energy: float64 `(n_towers,)`, measured energies E, GeV.
        sigma: float64 `(n_towers,)`, their resolutions, GeV.
        track_energy: float64 `(n_towers,)`, E_tracks, summed over the tracks of the tower, GeV.
        track_variance: float64 `(n_towers,)`, variance of E_tracks, GeV².

    Returns:
        Energy of the neutral candidate of each tower in GeV (0: none), and the factor for the momenta of its tracks;
        float64 `(n_towers,)` each.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.maximum(energy - track_energy, 0)
        significance = excess / np.sqrt(track_variance + sigma**2)
        neutral = (excess > thresholds.energy) & (significance > thresholds.significance)
        weight, track_weight = (np.where(v > 0, 1 / v, 0.0) for v in (sigma**2, track_variance))
        best = (track_weight * track_energy + weight * energy) / (track_weight + weight)
        # If both variances are 0, the tracks keep their momenta; Delphes would divide 0 by 0.
        scaled = ~neutral & (track_energy > 0) & (track_weight + weight > 0)
        factor = np.where(scaled, best / track_energy, 1.0)
    return np.where(neutral, excess, 0.0), factor


def sections_of(module: CardModule) -> tuple[Section, ...]:
    """The section of a SimpleCalorimeter, or the two of a Calorimeter."""
    if module.kind == "SimpleCalorimeter":
        pdg_id = PHOTON if module.flag("IsEcal", False) else NEUTRAL_HADRON
        return (_section(module, "", 0, pdg_id, module.text("EFlowTowerOutputArray", "eflowTowers")),)
    photons = module.text("EFlowPhotonOutputArray", "eflowPhotons")
    hadrons = module.text("EFlowNeutralHadronOutputArray", "eflowNeutralHadrons")
    return (
        _section(module, "ECal", 0, PHOTON, photons),
        _section(module, "HCal", 1, NEUTRAL_HADRON, hadrons),
    )


def _section(module: CardModule, prefix: str, column: int, pdg_id: int, output: str) -> Section:
    """A section from the parameters that start with `prefix`.

    Args:
        module: the calorimeter.
        prefix: of the names of the section's parameters; none if it is the only one.
        column: place of the section in the energy fractions.
        pdg_id: of its neutral candidates.
        output: name of the array of these.
    """
    default = (0.0, 1.0) if prefix else (1.0,)  # Delphes' default for particles that the card does not name
    fractions = {0: default[column]} | _fractions(module, column, len(default))
    ids = sorted(set(fractions) - {0})
    parameter = f"{prefix}ResolutionFormula"
    return Section(
        pdg_id=pdg_id,
        ids=np.array(ids, np.int64),
        fractions=np.array([fractions[i] for i in [*ids, 0]]),
        parameter=parameter,
        resolution=module.formula(parameter, KINEMATICS, "0"),
        energy_min=module.number(f"{prefix}EnergyMin", 0.0),
        significance_min=module.number(f"{prefix}EnergySignificanceMin", 0.0),
        output=output,
    )


_PDG_ID: Final = re.compile(r"\s*-?[0-9]{1,10}\s*")
"""Ten digits are the ions."""


def _fractions(module: CardModule, column: int, size: int) -> dict[int, float]:
    """Energy fractions of one section by absolute PDG id; 0 stands for all others."""
    pairs = module.pairs("EnergyFraction")
    values = module.numbers([text for _, text in pairs], "EnergyFraction")
    fractions: dict[int, float] = {}
    for (key, text), parts in zip(pairs, values, strict=True):
        name = text_of(key)
        if not _PDG_ID.fullmatch(name) or len(parts) != size or not all(0 <= f <= 1 for f in parts):
            module.fail(
                f"{{{name}}} {{{text_of(text)}}}: want a PDG id and {size} fractions in 0 ... 1", "EnergyFraction"
            )
        fractions[int(name)] = parts[column]
    return fractions
