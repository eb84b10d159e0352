"""Use the machine: devices, compiled code, sharded state, a team of processes, energy, failures."""
