"""Fewer bits and fewer weights: rounding and pruning, while a run trains and after it."""
