"""A calorimeter of cells, parametrized: showers of particles, noise, topological clusters, and tracks beside them."""
