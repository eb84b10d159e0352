"""Decide how to spend compute: the best split of a budget, the cheapest way to a loss, and the most
informative next runs per FLOP."""
