"""Compare two or more ledgers: exponents, shared laws, compute-equivalent gain, crossing points."""
