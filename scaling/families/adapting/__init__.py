"""Fine-tuning of a trained module: all of it, its head, its last blocks, low-rank maps or adapters."""
