"""resim: freeze a hard scatter, simulate what follows again, and store both outcomes as a pair."""

__version__ = "0.1.0"
