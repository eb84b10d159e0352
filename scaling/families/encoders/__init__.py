"""Families with an encoder: the masked language model, the text classifier and the encoder–decoder."""
