"""Read tables of runs and facts, evaluate expressions of their columns, and define the ledger. No torch."""
