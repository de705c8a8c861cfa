"""Physical constants and conventions shared by every stage. Units: GeV, mm, mm/c, radians."""

from typing import Final

PYTHIA_SEED_MAX: Final = 900_000_000
"""Largest seed that Pythia accepts; 0 means "from the clock" and is never used (Pythia manual, Random Numbers)."""

INVISIBLE_PDG_IDS: Final = frozenset({12, 14, 16, 18, 1000012, 1000014, 1000016, 1000022, 1000039})
"""Absolute PDG ids that no detector sees: neutrinos, sneutrinos, lightest neutralino, gravitino (PDG numbering)."""

HIDDEN_VALLEY_PDG_RANGE: Final = (4_900_000, 5_000_000)
"""Absolute PDG ids of hidden-valley states, invisible when stable (Pythia manual, Hidden Valley Processes)."""
