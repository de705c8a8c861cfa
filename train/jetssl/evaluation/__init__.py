"""What a representation is worth: frozen embeddings, linear probe, metrics with errors."""
