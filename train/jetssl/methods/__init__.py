"""One training method per module: a training step, its logs, its optimizer."""
