"""Starting from a trained run: which one, what of its weights is taken over, what learns further."""
