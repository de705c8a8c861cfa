"""jetssl: learn jet representations from re-simulated pairs, and measure what they are worth."""

from resim import __version__

__all__ = ["__version__"]
