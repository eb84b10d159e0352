"""Run sweeps: designs, cells, prices, launchers, seats, leases and the ledger."""
