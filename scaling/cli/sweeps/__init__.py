"""The verbs of a sweep, of the machine that runs it, and of runs from elsewhere."""
