"""Tables of runs and facts: read any of them, compute with its columns, know a ledger. No torch, ever."""
