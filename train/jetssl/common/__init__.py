"""What every folder of jetssl uses: seeds, precision, files, threads, processes and their collectives."""
