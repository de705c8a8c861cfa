"""One self-contained HTML page about runs and the pair files they learnt from."""
