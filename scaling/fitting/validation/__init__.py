"""Checks of a fit: backtests, calibration, selection, lack of fit, influence, multiverse and checklist."""
