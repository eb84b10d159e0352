"""Recompute published numbers on the shipped facts and on public snapshots."""
