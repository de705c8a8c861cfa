"""One training: the loop, its folder, its log, and how it stops."""
