"""Draw comparisons: with published exponents, other counting conventions, analyses and families."""
