"""An encoder and an objective for jetssl."""
