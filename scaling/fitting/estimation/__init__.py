"""Estimate the parameters of a law from a table: losses, coordinates, objectives, a batched solver, a
certificate."""
