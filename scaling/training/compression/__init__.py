"""Round and prune weights, during training and after it."""
