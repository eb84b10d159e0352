"""Draw the measured runs, without any law."""
