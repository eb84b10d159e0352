"""The decoder: Llama, GPT-2 and the Transformer of 2017 are presets of its switches."""
