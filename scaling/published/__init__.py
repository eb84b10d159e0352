"""Published tables of runs, published fits, and whether the second follow from the first."""
