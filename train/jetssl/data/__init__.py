"""From pair files to batches: load, split, augment, pad."""
