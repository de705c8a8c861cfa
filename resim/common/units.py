"""Physical constants and conventions shared by every stage. Units: GeV, mm, mm/c, radians."""

from typing import Final

PYTHIA_SEED_MAX: Final = 900_000_000
"""Largest seed that Pythia accepts; 0 means "from the clock" and is never used (Pythia manual, Random Numbers)."""

TAU: Final = 15
PHOTON: Final = 22
PROTON: Final = 2212
"""PDG ids (PDG, Monte Carlo particle numbering scheme)."""

K_SHORT_MASS: Final = 0.497611
"""GeV (PDG 2024)."""

LHE_BEAM, LHE_INCOMING, LHE_OUTGOING, LHE_INTERMEDIATE = -9, -1, 1, 2
"""ISTUP of a particle in an LHE file (hep-ph/0109068, section 4)."""
HEPMC_FINAL, HEPMC_DECAYED, HEPMC_BEAM = 1, 2, 4
"""Status of a particle in HepMC (arXiv:1912.08005, section 4)."""
PYTHIA_HARD_INCOMING, PYTHIA_HARD_OUTGOING = -21, 23
"""Status of a particle of the hard process in Pythia's event record (Pythia manual, Particle Properties)."""

_NEUTRINOS_AND_SPARTNERS: Final = (12, 14, 16, 18, 1000012, 1000014, 1000016, 2000012, 2000014, 2000016)
_NEUTRAL_BOSONS: Final = (23, 25, 32, 33, 35, 36, 39, 41, 45, 46, 5000039, 5100039)
_DARK_MATTER: Final = range(51, 61)
_NEUTRALINOS_GRAVITINO: Final = (1000022, 1000023, 1000025, 1000035, 1000045, 1000039)
_RIGHT_HANDED: Final = (9900012, 9900014, 9900016, 9900023)
_HIDDEN_VALLEY: Final = frozenset(range(4_900_000, 4_910_000)) - {*range(4_900_001, 4_900_007)}
_CHARGED_HIDDEN_VALLEY: Final = frozenset({4900011, 4900013, 4900015, 4900023})

INVISIBLE_PDG_IDS: Final = (
    frozenset((*_NEUTRINOS_AND_SPARTNERS, *_NEUTRAL_BOSONS, *_DARK_MATTER, *_NEUTRALINOS_GRAVITINO, *_RIGHT_HANDED))
    | _HIDDEN_VALLEY - _CHARGED_HIDDEN_VALLEY
)
"""Absolute PDG ids that no detector sees if they are stable: `isVisible` of Pythia's particle data by default.

A run asks the generator itself, whose card may say otherwise; this is for particles that come without one.
"""
