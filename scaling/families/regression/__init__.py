"""A multilayer perceptron and synthetic regression tasks with known scaling laws, for tests and teaching."""
