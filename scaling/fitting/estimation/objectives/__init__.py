"""Evaluate sums of losses over points in search coordinates: one objective with an exact Hessian for the
Chinchilla law, one for every other law."""
