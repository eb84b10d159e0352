"""Write and read checkpoints: whole, in shards, and of shared trunks."""
