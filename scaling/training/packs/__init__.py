"""Train several runs at once as one batched module."""
