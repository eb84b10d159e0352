"""What of a trained module learns further: all of it, its head, its last blocks, low-rank maps, adapters."""
