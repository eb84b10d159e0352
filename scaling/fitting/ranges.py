"""Define the ranges of a fit's numeric options, for Python and for the command."""

RESAMPLES = (0, 100_000)
STARTS = (1, 10_000)
SEED = (0, 2**32 - 1)
LEVEL = (0.001, 0.9999)
CELLS = (1, 1_000)
SIMULATIONS = (0, 100_000)
