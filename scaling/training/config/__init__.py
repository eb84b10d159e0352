"""From the values of a config to a cell: numbers read, budget solved, text measured."""
