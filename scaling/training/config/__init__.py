"""Turn config sections into parts of a cell: budget, compression and data."""
