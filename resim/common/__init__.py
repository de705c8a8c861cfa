"""What every folder uses: units, errors, seeds, ragged arrays, cards, the console. Imports nothing else of resim."""
"""What every folder uses: units, errors, seeds, ragged arrays, cards, the console. Imports nothing of resim outside."""
=======
"""What every folder uses: units, errors, seeds, ragged arrays, cards, the console. Imports nothing else of resim."""
>>>>>>> aec607bb02900d2e5bd6a8c9019e7a68c50f995e
