"""Prepare a corpus on disk from a source: order, split, measure, tokenise, publish."""
