"""Estimate algorithmic progress in language models, test the estimate and split it by cause."""
