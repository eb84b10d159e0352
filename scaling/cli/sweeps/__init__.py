"""Define the verbs on sweeps, on the machine that runs them, and on imported runs."""
