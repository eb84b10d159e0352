"""Estimate the uncertainty of parameters and derived quantities: resampling, sandwich, delta method, profile
likelihood."""
