"""Fetch published tables of runs, and reproduce the published fits to them."""
