"""Start, interrupt, continue and finish a run."""
