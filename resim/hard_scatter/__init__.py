"""Hard scatters: reading LHE files and choosing the partons that become rows."""
