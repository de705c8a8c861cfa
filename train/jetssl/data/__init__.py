"""From pair files to batches: load, split, gather, augment, compute features, pad."""
