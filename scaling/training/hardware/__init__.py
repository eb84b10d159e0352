"""Handle devices, compiled code, sharded weights, teams of processes, energy and hardware failures."""
