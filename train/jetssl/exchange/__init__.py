"""Models of other programs as runs, and runs as files of other programs."""
