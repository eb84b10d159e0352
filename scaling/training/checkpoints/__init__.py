"""Write a run's state to disk and read it back: whole, in shards, and at a trunk's branches."""
