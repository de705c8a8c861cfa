"""What every folder uses: units, errors, seeds, ragged arrays, cards, the console. Imports nothing else of resim."""
