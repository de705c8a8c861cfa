"""Studies: samples, trainings and questions of one card, made in order, each once; and what the answers say."""
