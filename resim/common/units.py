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

LHE_BEAM, LHE_INCOMING, LHE_OUTGOING = -9, -1, 1
"""ISTUP of a particle in an LHE file (hep-ph/0109068, section 4)."""
HEPMC_FINAL, HEPMC_DECAYED, HEPMC_BEAM = 1, 2, 4
"""Status of a particle in HepMC (arXiv:1912.08005, section 4)."""
PYTHIA_HARD_INCOMING, PYTHIA_HARD_OUTGOING = -21, 23
"""Status of a particle of the hard process in Pythia's event record (Pythia manual, Particle Properties)."""

INVISIBLE_PDG_IDS: Final = frozenset({12, 14, 16, 18, 1000012, 1000014, 1000016, 1000022, 1000039})
"""Absolute PDG ids that no detector sees: neutrinos, sneutrinos, lightest neutralino, gravitino (PDG numbering)."""

HIDDEN_VALLEY_PDG_RANGE: Final = (4_900_000, 5_000_000)
"""Absolute PDG ids of hidden-valley states, invisible when stable (Pythia manual, Hidden Valley Processes)."""
