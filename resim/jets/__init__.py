"""Jets: clustering, substructure, matching to hard partons, and the views of a chunk reconstructed."""
