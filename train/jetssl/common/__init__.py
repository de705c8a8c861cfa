"""What every room of jetssl uses: seeds, precision, files, threads, processes and their collectives."""
